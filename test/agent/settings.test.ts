import { expect, test } from "bun:test";
import { parseSettings } from "../../agent/settings.ts";

test("without flags it is the agent of a guest: sandbox on, its own user, the contract's port", () => {
  expect(parseSettings([])).toEqual({
    host: "0.0.0.0",
    port: 7070,
    chromium: "/usr/lib/chromium/chromium-headless-shell",
    browserUid: 1000,
    sandbox: true,
    userDataDir: "/var/lib/hype-browser",
    tokenFile: "/run/hype-agent/token",
    machine: "guest",
    expectProxy: false,
    expectProfile: false,
  });
});

test.each([
  [["--port", "x"], /--port must be a whole number/],
  [["--port", "70000"], /up to 65535/],
  [["--browser-uid", "root"], /--browser-uid/],
  [["--machine", "host"], /--machine must be guest or none/],
  [["--nonsense"], /nonsense/],
])("%p is refused", (argv, message) => {
  expect(() => parseSettings(argv)).toThrow(message);
});
