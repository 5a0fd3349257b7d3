# SPDX-License-Identifier: Apache-2.0
"""What a request context was for the old callers: a plain object with these attributes."""


class Context:
    """A project's member, or an administrator, with a token."""

    def __init__(self, project_id, user_id, is_admin=False):
        self.auth_token = f'token-of-{user_id}'
        self.project_id = self.tenant = project_id
        self.user_id = self.user = user_id
        self.is_admin = is_admin
        self.roles = ['admin'] if is_admin else ['member']
        self.service_catalog = []
