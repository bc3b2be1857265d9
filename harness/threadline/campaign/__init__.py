"""Many runs, watched from outside, so that nothing found is lost."""
