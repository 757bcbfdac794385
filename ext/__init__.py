"""Compiled kernels over bytes and arrays: no policy, no clock, no wire of their own."""
