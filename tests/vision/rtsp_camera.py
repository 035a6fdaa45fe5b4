"""A camera in the network, as RTSP (RFC 2326) and JPEG over RTP (RFC 2435) have it; it hangs up after some pictures."""

from __future__ import annotations

import socketserver
import struct
from collections.abc import Iterator
from itertools import count

import cv2
import numpy as np

from vision.faces import Frame

_DQT, _SOF, _SOS = 0xDB, 0xC0, 0xDA
_MOST, _CLOCK = 1_400, 90_000


class RtspCamera(socketserver.ThreadingTCPServer):
    """Shows `frame` (sides of a multiple of 16) `pictures` times to whoever calls."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, frame: Frame, *, pictures: int) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.pictures, self.plays = pictures, 0
        good, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 80])
        assert good
        self.tables, self.kind, self.scan = _parts(jpeg.tobytes())
        self.size = frame.shape[1] // 8, frame.shape[0] // 8

    @property
    def url(self) -> str:
        """Where it is."""
        return f"rtsp://127.0.0.1:{self.server_address[1]}/camera"


def _parts(jpeg: bytes) -> tuple[bytes, int, bytes]:
    """The quantisation tables, RFC 2435's type (by the chroma sampling), and the scan."""
    tables, kind, at = b"", 0, 2
    while True:
        marker, length = jpeg[at + 1], struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        body = jpeg[at + 4 : at + 2 + length]
        if marker == _DQT:
            tables += b"".join(body[start + 1 : start + 65] for start in range(0, len(body), 65))
        elif marker == _SOF:
            kind = {0x21: 0, 0x22: 1}[body[7]]
        at += 2 + length
        if marker == _SOS:
            return tables, kind, jpeg[at:-2]


class _Call(socketserver.StreamRequestHandler):
    server: RtspCamera

    def handle(self) -> None:
        while (first := self.rfile.readline().decode().strip()) != "":
            headers = {}
            while (line := self.rfile.readline().decode().strip()) != "":
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            method = first.split()[0]
            more, body = "", ""
            if method == "OPTIONS":
                more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
            elif method == "DESCRIBE":
                body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\nc=IN IP4 127.0.0.1\r\na=control:eye\r\n"
                more = f"Content-Base: {self.server.url}/\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            elif method == "SETUP":
                more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
            elif method == "PLAY":
                more = "Session: 1\r\n"
            self.wfile.write(f"RTSP/1.0 200 OK\r\nCSeq: {headers['cseq']}\r\n{more}\r\n{body}".encode())
            if method == "PLAY":
                self.server.plays += 1
                for packet in self._packets():
                    self.wfile.write(b"$\0" + struct.pack(">H", len(packet)) + packet)
            if method in {"PLAY", "TEARDOWN"}:
                return

    def _packets(self) -> Iterator[bytes]:
        server, numbers = self.server, count()
        for picture in range(server.pictures):
            tables = struct.pack(">BBH", 0, 0, len(server.tables)) + server.tables
            at = 0
            while at < len(server.scan):
                head = struct.pack(">I", at) + bytes((server.kind, 255, *server.size)) + (b"" if at else tables)
                part = server.scan[at : at + _MOST]
                at += len(part)
                last = at == len(server.scan)
                rtp = struct.pack(">BBHII", 0x80, 26 | last << 7, next(numbers) & 0xFFFF, picture * _CLOCK // 25, 7)
                yield rtp + head + part


def grey(level: int) -> Frame:
    """A plain picture."""
    return np.full((240, 320, 3), level, np.uint8)
