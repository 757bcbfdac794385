"""Sealed photos as objects of a store that speaks S3, or another that obstore knows."""

from __future__ import annotations

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from server.adapters.photo_blobs import checked
from server.settings import UserError

SCHEMES = frozenset({"s3", "gs", "az", "azure", "http", "https", "file", "memory"})


class ObjectBlobs:
    """Objects under an address such as `s3://bucket/folder`."""

    def __init__(self, url: str) -> None:
        """Nothing is asked of the store yet.

        Raises:
            UserError: `bad_photos_url`.
        """
        try:
            if url.partition("://")[0] not in SCHEMES:
                raise ValueError("it names no kind of store")
            self._store = from_url(url)
        except (BaseError, ValueError, OSError) as error:
            raise UserError(
                "bad_photos_url",
                f"HEATOPS_PHOTOS_URL cannot be used: {error}.",
                "Give an address such as s3://bucket/folder; key, secret, region and endpoint come"
                " from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL.",
                exit_code=2,
            ) from None

    async def put(self, name: str, body: bytes) -> None:
        """Whole or not at all, as such stores are; the same bytes sealed anew are as good."""
        try:
            await obstore.put_async(self._store, checked(name), body)
        except BaseError as error:
            raise OSError(str(error)) from error

    async def get(self, name: str) -> bytes:
        """The object's bytes."""
        try:
            found = await obstore.get_async(self._store, checked(name))
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            raise
        except BaseError as error:
            raise OSError(str(error)) from error

    async def drop(self, name: str) -> None:
        """The object goes."""
        try:
            await obstore.delete_async(self._store, checked(name))
        except FileNotFoundError:
            return
        except BaseError as error:
            raise OSError(str(error)) from error
