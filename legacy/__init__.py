# SPDX-License-Identifier: Apache-2.0
"""Everything about old callers; a user deletes this package on the day the last old call site is gone."""
