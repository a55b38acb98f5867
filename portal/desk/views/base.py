"""The desk's blueprint and its home."""

from flask import Blueprint

bp = Blueprint("desk", __name__, url_prefix="/desk")
