"""A recorded flight as a GPX file."""

from __future__ import annotations

GPX = """<?xml version="1.0"?>
<gpx xmlns="http://www.topografix.com/GPX/1/1" xmlns:g="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
 <trk><trkseg>
  <trkpt lat="52.51" lon="13.4"><ele>96.5</ele><time>2025-07-05T10:00:00.5Z</time></trkpt>
  <trkpt lat="52.52" lon="13.41"><time>2025-07-05T12:00:01+02:00</time>
   <extensions><g:TrackPointExtension><g:speed>4.5</g:speed><g:course>271</g:course></g:TrackPointExtension></extensions>
  </trkpt>
 </trkseg></trk>
</gpx>"""
NOON = 1_751_709_600.0  # 2025-07-05T10:00:00Z
