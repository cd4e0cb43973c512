import { type Site, serveSite } from "../site/serve.ts";

/** Pages that only the tests of navigation, evaluation and screenshots need. */
const MORE: Record<string, string> = {
  "/late-title": "<title>early</title><script>document.title='late'</script>",
  "/redirects": "<title>before</title><script>location.replace('/')</script>",
  "/alerts":
    "<title>alerts</title><script>alert('a');window.answer=confirm('b');addEventListener('beforeunload',e=>e.preventDefault())</script>",
  "/tall": "<title>tall</title><body style='margin:0'><div style='width:400px;height:3000px;background:teal'>",
  "/loops": "<title>loops</title><script>addEventListener('load',()=>setTimeout(()=>{for(;;);},0))</script>",
};

export type Pages = Site;

/** The fixture site on a free port of loopback; `/hang` never answers. */
export const servePages = (): Pages => serveSite(MORE);
