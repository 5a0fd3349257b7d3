# SPDX-License-Identifier: Apache-2.0
"""The Glance driver: image service v2 through python-glanceclient's HTTP layer and keystoneauth.

``driver`` says what each operation means, ``wire`` speaks v2 JSON, ``retries`` decides whether to ask
again, ``servers`` whom to ask, ``session`` as whom, ``limits`` for how long, ``translate`` what an
error is called outside. Nothing here is imported before a driver is built.
"""
