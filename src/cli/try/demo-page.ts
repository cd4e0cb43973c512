/** The page `hype try` opens when no URL is given. It travels inside the URL, so it needs no network; flat colours, since drawing is slow without a GPU. */
const HTML = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Hello from a microVM</title>
<style>
  html { height: 100%; font: 18px/1.6 "DejaVu Sans", "Liberation Sans", sans-serif; color: #e8eef7; }
  body { margin: 0; min-height: 100%; display: grid; place-items: center; background: #16263d; }
  main { width: 36rem; padding: 2.4rem 2.8rem; border-radius: 16px; background: #0b1220; }
  h1 { margin: 0 0 .4rem; font-size: 2rem; letter-spacing: -.02em; }
  p { margin: .2rem 0 1.2rem; color: #b7c6da; }
  dl { display: grid; grid-template-columns: 9rem 1fr; gap: .35rem 1rem; margin: 0; font-size: .95rem; }
  dt { color: #7fb4e6; } dd { margin: 0; overflow-wrap: anywhere; }
  .words { margin-top: 1.4rem; font-size: 1.3rem; }
</style>
<main>
  <h1>Hello from a microVM</h1>
  <p>This Chromium has a Linux kernel of its own, and nobody to share it with.</p>
  <dl id="facts"></dl>
  <div class="words">你好 · こんにちは · 안녕하세요 · Привет · 🚀</div>
</main>
<script>
  const facts = {
    Browser: (navigator.userAgent.match(/Chrome\\/[\\d.]+/) || ["?"])[0],
    System: navigator.platform,
    "CPU cores": navigator.hardwareConcurrency,
    Viewport: innerWidth + " x " + innerHeight,
    "Guest's clock": new Date().toISOString(),
  };
  for (const [name, value] of Object.entries(facts)) {
    const dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = name; dd.textContent = value;
    document.getElementById("facts").append(dt, dd);
  }
</script>
</html>
`;

export const DEMO_PAGE_URL = `data:text/html;charset=utf-8;base64,${Buffer.from(HTML).toString("base64")}`;
