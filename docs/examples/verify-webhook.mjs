// Verify a webhook of Aisle with Node's own library (the package `standardwebhooks` does the same).
import { createHmac, timingSafeEqual } from "node:crypto";

/** Whether `body`, as it came and not parsed, is Aisle's and at most five minutes old. Names of headers in lower case. */
export function verify(secret, headers, body) {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const mine = Buffer.from(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
  const fresh = Math.abs(Date.now() / 1000 - Number(headers["webhook-timestamp"])) < 300;
  const given = headers["webhook-signature"].split(" ").map((one) => Buffer.from(one));
  return fresh && given.some((one) => one.length === mine.length && timingSafeEqual(one, mine));
}
