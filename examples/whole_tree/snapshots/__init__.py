# SPDX-License-Identifier: Apache-2.0
"""Snapshots of servers, as modules of a larger program keep them."""
