"""The operator's view in a browser: pages made on the server, small scripts and styles of our own, no build step."""

from fastapi import APIRouter

from autonomy.api.dashboard import forms, pages

router = APIRouter()
router.include_router(pages.router)
router.include_router(forms.router)
