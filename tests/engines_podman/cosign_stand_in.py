"""Verifies a sigstore signature with OpenSSL and answers as cosign's documents say: no cosign could be had to try.

The signature lies in the registry under the tag sha256-DIGEST.sig, its words are a layer, its bytes an annotation.
Called as: BESIDE verify --key KEY … IMAGE@DIGEST; BESIDE runs curl and openssl beside the registry.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path

NO_SIGNATURE, NO_MATCH = 10, 12
ANNOTATION = "dev.cosignproject.cosign/signature"


def main() -> int:
    """Exit code of doc/cosign_exit_codes.md."""
    beside, verb, option, key, *_, reference = sys.argv[1:]
    assert (verb, option) == ("verify", "--key"), sys.argv
    name, _, digest = reference.partition("@")
    host, _, repository = name.partition("/")

    def get(path: str) -> bytes:
        asked = [beside, "curl", "--silent", "--fail", "-H", "Accept: application/vnd.oci.image.manifest.v1+json"]
        return subprocess.run([*asked, f"http://{host}/v2/{repository}/{path}"], capture_output=True).stdout

    manifest = get(f"manifests/{digest.replace(':', '-')}.sig")
    if not manifest:
        sys.stderr.write("Error: no signatures found\n")
        return NO_SIGNATURE
    held = []
    for layer in json.loads(manifest)["layers"]:
        words = get(f"blobs/{layer['digest']}")
        with tempfile.NamedTemporaryFile() as signature:
            Path(signature.name).write_bytes(base64.b64decode(layer["annotations"][ANNOTATION]))
            asked = [beside, "openssl", "dgst", "-sha256", "-verify", key, "-signature", signature.name]
            if not subprocess.run(asked, input=words, capture_output=True).returncode:
                held.append(json.loads(words))
    if not held:
        sys.stderr.write("Error: no matching signatures: invalid signature\n")
        return NO_MATCH
    sys.stdout.write(json.dumps(held))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
