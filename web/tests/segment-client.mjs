// Sends with Segment's published Node client to the server of the address in argv; tests/api/test_segment.py holds it against the log.
import { Analytics } from "@segment/analytics-node";

const [, , host, writeKey, userId, anonymousId] = process.argv;
const analytics = new Analytics({ writeKey, host, maxRetries: 0 });
analytics.on("error", (error) => {
  process.stderr.write(`${error.code} ${error.reason}\n`);
  process.exitCode = 1;
});
analytics.identify({ userId, anonymousId, traits: { tier: "silver" } });
analytics.track({ userId, event: "Product Viewed", properties: { product_id: "milk-1" } });
analytics.page({ userId, name: "Dairy" });
analytics.screen({ userId, name: "Home" });
analytics.alias({ userId, previousId: anonymousId });
await analytics.closeAndFlush();
