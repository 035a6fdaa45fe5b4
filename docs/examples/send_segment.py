"""Send events with Segment's own Python client (`pip install segment-analytics-python`)."""

from segment.analytics.client import Client

analytics = Client("ak_…", host="http://127.0.0.1:8080", gzip=True)
analytics.identify(
    user_id="crm-4711", anonymous_id="7f1c2d3e-1", traits={"name": "Maya Lindqvist", "email": "maya@example.org"}
)
analytics.track(user_id="crm-4711", event="Product Viewed", properties={"product_id": "1082185"})
analytics.flush()
