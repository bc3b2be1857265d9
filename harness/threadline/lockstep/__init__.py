"""One run: a model beside a system, one operation at a time."""
