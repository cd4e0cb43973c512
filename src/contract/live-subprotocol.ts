/** First part of the subprotocol a page asks for (RFC 6455 section 1.9); the second is its token, which thus stands in no URL. */
export const LIVE_SUBPROTOCOL = "overhyped.live.v1";
