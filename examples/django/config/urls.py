"""Paths, as the container sees them: Kong takes the path of the system off."""

from django.urls import path
from orders import health, views

urlpatterns = [
    path("livez", health.live),
    path("readyz", health.ready),
    path("", views.page, name="page"),
    path("whoami", views.whoami),
    path("orders", views.place),
    path("orders/<uuid:number>", views.show, name="order"),
    path("orders/<uuid:number>/attachment", views.attachment),
]
