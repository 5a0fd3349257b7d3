# SPDX-License-Identifier: Apache-2.0
"""The embedded image store: a directory with a SQLite catalogue and content files named by digest.

:mod:`.catalogue` keeps the rows, :mod:`.contents` the bytes, :mod:`.rules` and :mod:`.query` what Glance v2
lets a caller do and find, :mod:`.formats` what an upload has to look like, :mod:`.driver` is the driver
over them, and :mod:`.check` finds and mends damage.
"""
