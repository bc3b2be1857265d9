"""What a session manager must do: one model."""

from models.session_manager.model import SessionManagerModel, SessionsModel
from models.session_manager.settings import Settings

__all__ = ["SessionManagerModel", "SessionsModel", "Settings"]
