"""Users and groups in the look of the other pages."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

admin.site.unregister(get_user_model())
admin.site.unregister(Group)


@admin.register(get_user_model())
class SiteUserAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """Who may sign in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class SiteGroupAdmin(GroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Groups of users."""
