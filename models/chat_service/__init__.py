"""What a chat service must do: one model."""

from models.chat_service.model import ChatServiceModel
from models.chat_service.settings import Settings

__all__ = ["ChatServiceModel", "Settings"]
