"""Where a creative comes from, inside the file: C2PA content credentials, signed with the shop's own certificate.

A manifest names the spec, the inputs with their licences, and that a program made it (IPTC digital source type). Verifiers that do not know the
shop's certificate report it as valid and untrusted, until the operator brings one from an authority (`load_signer`).
"""

from __future__ import annotations

import fcntl
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, StreamObject

from personalization.creative.audio import Track
from personalization.creative.errors import CreativeError
from personalization.creative.studio import Design

_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:aisle="https://aisle.invalid/ns/creative/1/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title><xmp:CreatorTool>Aisle</xmp:CreatorTool>
<Iptc4xmpExt:DigitalSourceType>{source}</Iptc4xmpExt:DigitalSourceType>
<aisle:creative>{told}</aisle:creative>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
_MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
DRAWN_BY_RULES = _MADE + "algorithmicMedia"
WITH_A_MODEL = _MADE + "compositeWithTrainedAlgorithmicMedia"
VALID_FOR = timedelta(days=3650)
KINDS = {"png": "image/png", "webp": "image/webp", "jpg": "image/jpeg", "jpeg": "image/jpeg", "svg": "image/svg+xml", "pdf": "application/pdf", "mp4": "video/mp4", "gif": "image/gif"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate chain and its key, both as PEM; the signing certificate first."""

    chain: str
    key: str


def make_signer(organisation: str, *, now: datetime | None = None) -> Signer:
    """Make an authority of the shop's own and a certificate that it issues: ES256, as C2PA asks (end-entity, e-mail protection)."""
    at = now or datetime.now(UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = _name(organisation, "content authority"), _name(organisation, "creatives")
    root = (
        _certificate(root_name, root_name, root_key, at)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    own = (
        _certificate(name, root_name, key, at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Signer((own.public_bytes(pem) + root.public_bytes(pem)).decode(), private.decode())


def load_signer(folder: Path, organisation: str) -> Signer:
    """Return the signer in `folder` (`creatives.crt`, `creatives.key`), made and kept there, readable by the owner alone, if there is none.

    Of several processes that begin at once, one makes it. Raises CreativeError where the two files do not belong together.
    """
    chain, key = folder / "creatives.crt", folder / "creatives.key"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "creatives.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not chain.exists() and not key.exists():
            made = make_signer(organisation)
            _write(key, made.key)
            _write(chain, made.chain)
        if missing := [path.name for path in (chain, key) if not path.exists()]:
            raise CreativeError(
                "signer", f"{folder} has no {missing[0]}; put it there, or take the other file away for a new pair."
            )
        found = Signer(chain.read_text(), key.read_text())
    if not _belong_together(found):
        raise CreativeError(
            "signer",
            f"creatives.crt and creatives.key in {folder} do not belong together; take both away for a new pair, or put the right ones there.",
        )
    return found


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def _belong_together(signer: Signer) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(signer.chain.encode())
        key = serialization.load_pem_private_key(signer.key.encode(), None)
    except (ValueError, TypeError) as error:
        raise CreativeError("signer", f"creatives.crt or creatives.key cannot be read: {error}") from error
    return certificate.public_key() == key.public_key()


def signed(
    content: bytes, kind: str, design: Design, signer: Signer, *, approved_by: str = "", track: Track | None = None
) -> bytes:
    """Return the file with its content credentials, which name a film's `track` too; CreativeError for a kind that cannot carry them."""
    if kind not in KINDS or KINDS[kind] not in c2pa.Builder.get_supported_mime_types():
        raise CreativeError(
            "no-credentials", f"A {kind} file cannot carry content credentials; {', '.join(KINDS)} can."
        )
    out = io.BytesIO()
    info = c2pa.C2paSignerInfo(
        alg=b"es256", sign_cert=signer.chain.encode(), private_key=signer.key.encode(), ta_url=None
    )
    try:
        with (
            c2pa.Signer.from_info(info) as hand,
            c2pa.Builder(json.dumps(_manifest(design, approved_by, track)), _context()) as builder,
        ):
            builder.sign(hand, KINDS[kind], io.BytesIO(content), out)
    except c2pa.C2paError as error:
        raise CreativeError("signer", f"The file cannot be signed: {error}") from error
    return out.getvalue()


@lru_cache(maxsize=1)
def _context() -> Any:
    """Return settings without a thumbnail, which would be larger than the poster itself."""
    return c2pa.Context(c2pa.Settings.from_dict({"builder": {"thumbnail": {"enabled": False}}}))


def marked(pdf: bytes, design: Design, *, approved_by: str = "") -> bytes:
    """Return a PDF with what credentials tell of it as XMP, IPTC's DigitalSourceType included: it can be read by machines, and is not signed."""
    manifest = _manifest(design, approved_by, None)
    actions, own = (one["data"] for one in manifest["assertions"])
    told = _XMP.format(
        title=escape(manifest["title"]), source=actions["actions"][0]["digitalSourceType"],
        told=escape(json.dumps(own, ensure_ascii=False)),
    )  # fmt: skip
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    packet = StreamObject()
    packet.set_data(told.encode())
    packet.update({NameObject("/Type"): NameObject("/Metadata"), NameObject("/Subtype"): NameObject("/XML")})
    writer.root_object[NameObject("/Metadata")] = writer._add_object(packet)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def read(content: bytes, kind: str) -> tuple[str, dict[str, Any]]:
    """Return how the credentials of a file stand ("Valid", "Trusted", "Invalid") and its manifest; CreativeError when it has none."""
    try:
        with c2pa.Reader(KINDS[kind], io.BytesIO(content)) as reader:
            return str(reader.get_validation_state()), dict(reader.get_active_manifest() or {})
    except c2pa.C2paError as error:
        raise CreativeError(
            "no-credentials", f"The file has no content credentials that can be read: {error}"
        ) from error


def _manifest(design: Design, approved_by: str, track: Track | None) -> dict[str, Any]:
    of = design.material
    source = WITH_A_MODEL if of.message.origin != "grammar" or of.background is not None else DRAWN_BY_RULES
    return {
        "claim_generator_info": [{"name": "Aisle", "version": design.spec.version}],
        "title": of.message.headline,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": source}]}},
            {"label": "org.aisle.creative", "data": {
                "creative_id": design.creative_id, "spec_id": design.spec.spec_id, "choices": dict(design.spec.choices), "retailer": of.brand.retailer,
                "words_from": of.message.origin, "inputs": _inputs(design, track), "approved_by": approved_by,
            }},
        ],
    }  # fmt: skip


def _inputs(design: Design, track: Track | None) -> Sequence[dict[str, str]]:
    of = design.material
    kind = "drawing in place of a photograph" if of.picture.stand_in else "picture"
    told = [
        {"kind": kind, "sha256": of.picture.digest, "licence": of.picture.licence or "not declared"},
        {"kind": "fonts", "licence": "SIL Open Font License 1.1"},
        *of.brand.inputs,
    ]
    if of.background is not None:
        told.append({"kind": "background", "sha256": of.background.digest, "licence": of.background.licence})
    if track is not None:
        told.append({"kind": "track", "sha256": track.digest, "licence": track.licence or "not declared"})
    return told


def _name(organisation: str, unit: str) -> x509.Name:
    short = organisation[:48] or "shop"
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, short),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{short} {unit}"[:64]),
        ]
    )


def _certificate(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, at: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(minutes=5))
        .not_valid_after(at + VALID_FOR)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=signs_certificates, crl_sign=signs_certificates, encipher_only=False, decipher_only=False,
    )  # fmt: skip
