/** The fixture site's documents, by path. `{other}` stands for the site's second origin: another host, hence another process. */
export const PAGES: Record<string, string> = {
  "/": "<!doctype html><title>Home</title><h1>Hello</h1><p>world",
  "/form": `<!doctype html><title>Form</title>
<h1>Sign <em>up</em></h1>
<form onsubmit="event.preventDefault();document.getElementById('out').textContent='sent '+new URLSearchParams(new FormData(this))">
  <label>Name <input name=name placeholder="Your name"></label>
  <label for=mail>Mail</label><input id=mail type=email name=mail value="a@b.c" required>
  <label>Notes <textarea name=notes></textarea></label>
  <input type=checkbox id=ok name=ok><label for=ok>I agree</label>
  <fieldset><legend>Size</legend>
    <label><input type=radio name=size value=s>Small</label><label><input type=radio name=size value=l checked>Large</label></fieldset>
  <select name=colour aria-label=Colour><option value=r>Red</option><option value=g selected>Green</option></select>
  <select name=many multiple aria-label=Many><option>one</option><option>two</option><option>three</option></select>
  <input type=range aria-label=Volume min=0 max=10 value=3 name=volume>
  <input type=date aria-label=Day name=day>
  <input type=file aria-label=Files name=files multiple onchange="document.getElementById('out').textContent=[...this.files].map(f=>f.name+':'+f.size).join(' ')">
  <div contenteditable=true role=textbox aria-label=Rich>old</div>
  <button>Send</button><button type=button disabled>Never</button>
  <button type=button aria-pressed=true>Bold</button><button type=button aria-expanded=false>Menu</button>
</form><output id=out></output>
<script>window.keys=[];addEventListener('keydown',e=>keys.push(e.key+'/'+e.code+(e.ctrlKey?'+c':'')+(e.shiftKey?'+s':'')))</script>`,
  "/things": `<!doctype html><title>Things</title>
<nav aria-label=Main><ul><li><a href="/">Home</a></li><li><a href="/form?a=1#x">Form <b>page</b></a></li></ul></nav>
<main><h2>Part two</h2><p>Plain text with a <a href="https://example.test/">link</a> inside.</p>
<img src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7" alt="A dot" width=10 height=10>
<div style="display:none">never seen</div><div style="visibility:hidden">nor this</div><div aria-hidden=true>nor that</div>
<ul role=listbox aria-label=Pick><li role=option aria-selected=true>One</li><li role=option>Two</li></ul>
<table><caption>Prices</caption><tr><th>Thing</th><th>Price</th></tr><tr><td>Tea</td><td>3: "cheap"</td></tr></table>
<div role=tablist><div role=tab aria-selected=true tabindex=0>First</div><div role=tab tabindex=-1>Second</div></div>
<progress value=3 max=10 aria-label=Done></progress>
<div onclick="this.textContent='hit'" style="cursor:pointer">Click area</div>
<details><summary>More</summary>hidden words</details>
<dialog open><p>Stay?</p><button>Yes</button></dialog>
<my-box></my-box></main>
<script>customElements.define('my-box',class extends HTMLElement{constructor(){super();this.attachShadow({mode:'open'}).innerHTML=
'<button onclick="document.title=\\'shadow\\'">Inside shadow</button><slot></slot>';this.textContent='slotted'}})</script>`,
  "/frames": `<!doctype html><title>Frames</title><h1>Outer</h1>
<iframe src="/inner" title=Same style="margin:40px;border:5px solid"></iframe>
<iframe src="{other}/inner" title=Other style="margin:40px;border:5px solid"></iframe>`,
  "/inner": `<!doctype html><title>Inner</title><button onclick="this.textContent='pressed '+event.isTrusted">Press me</button>
<input aria-label=Word><iframe srcdoc="<button onclick=&quot;this.textContent='deep'&quot;>Deepest</button>" height=60></iframe>`,
  "/acts": `<!doctype html><title>Acts</title><style>body{margin:0}button{width:120px;height:30px}</style>
<button id=count onclick="this.textContent='n'+event.detail+(event.shiftKey?'s':'')+event.button" oncontextmenu="event.preventDefault();this.textContent='menu'"
  onauxclick="this.textContent='aux'+event.button">Count</button>
<button id=gone style="display:none">Gone</button><button id=off disabled onclick="document.title='bad'">Off</button>
<div style="position:relative;width:200px;height:40px"><button id=under>Under</button>
  <div id=lid style="position:absolute;inset:0;background:#0008" onclick="document.title='lid'"></div></div>
<button class=twin>Twin</button><button class=twin>Twin</button>
<button id=late disabled onclick="document.title='late clicked'">Late</button>
<button id=slides style="position:relative" onclick="document.title='caught'">Slides</button>
<div id=hover onmouseenter="this.textContent='over'" style="height:20px">Hover me</div>
<div id=drop style="width:100px;height:100px;background:teal;position:absolute;left:600px;top:10px" ondragover="event.preventDefault()"
  ondrop="event.preventDefault();this.textContent='dropped '+event.dataTransfer.getData('text')">Drop</div>
<div id=drag draggable=true ondragstart="event.dataTransfer.setData('text','cargo')" style="width:50px;height:20px">Drag</div>
<canvas id=canvas width=200 height=100 style="background:silver"></canvas>
<div style="height:3000px"></div><button id=below onclick="document.title='below'">Below</button>
<script>
const $=id=>document.getElementById(id),pts=window.pts=[];
for(const t of['mousedown','mousemove','mouseup'])$('canvas').addEventListener(t,e=>pts.push(t.slice(5)+e.offsetX+','+e.offsetY));
window.enableLate=ms=>setTimeout(()=>$('late').disabled=false,ms);
window.slide=ms=>{const b=$('slides'),t0=performance.now();const step=()=>{const t=performance.now()-t0;b.style.left=Math.min(t,ms)+'px';if(t<ms)requestAnimationFrame(step)};step()};
</script>`,
  "/files": `<!doctype html><title>Files</title><input type=file id=one><input type=file id=many multiple>
<button id=back onclick="const a=document.createElement('a');a.href=window.URL.createObjectURL(one.files[0]);a.download=one.files[0].name;a.click()">Give back</button>
<a id=get href="/file" download>Get</a><output id=out></output><script>
many.onchange=()=>out.textContent=[...many.files].map(f=>f.name+':'+f.size).join(' ');
window.textOf=()=>one.files[0].text()</script>`,
  "/dialogs": `<!doctype html><title>Dialogs</title><button id=alert onclick="alert('hi');document.title='told'">Alert</button>
<button id=confirm onclick="document.title='confirmed '+confirm('sure?')">Confirm</button>
<button id=later onclick="setTimeout(()=>alert('later'),100)">Later</button>`,
  "/opens": `<!doctype html><title>Opens</title><a href="/" target=_blank>New tab</a><a href="/form" id=go>Go on</a>
<button id=close onclick="window.close()">Close</button><button id=slow onclick="location='/slow?ms=300'">Slowly</button>`,
  "/waits": `<!doctype html><title>Waits</title><p id=here>Loading…</p><script>
window.show=ms=>setTimeout(()=>{here.textContent='Ready now';const b=document.createElement('b');b.id='new';b.textContent='fresh';document.body.append(b)},ms);
window.jump=ms=>setTimeout(()=>history.pushState({},'','/waits/step-2'),ms)</script>`,
  "/busy":
    "<!doctype html><title>Busy</title><script>let n=0;const go=()=>n++<4&&fetch('/slow?ms=150').then(go);go().then(()=>document.title='Idle')</script>",
  "/article": `<!doctype html><title>An article</title><nav><a href="/">Home</a><a href="/x">Elsewhere</a></nav>
<article><h1>On tea</h1>${"<p>Tea is a drink made of leaves and hot water, and many people like it more than anything else in the world, as long as it is not too hot.</p>".repeat(4)}
<h2>Kinds</h2><ul><li>green</li><li><a href="/black">black</a></li></ul><table><tr><th>Kind</th><th>Minutes</th></tr><tr><td>green</td><td>2</td></tr></table>
<pre><code>boil()</code></pre></article><footer>All rights reserved by nobody in particular</footer>`,
  "/endless": `<!doctype html><title>Endless</title><div id=list></div><script>
const more=()=>{for(let i=0;i<20;i++)list.insertAdjacentHTML('beforeend','<p style="height:60px">row '+list.children.length)};more();
addEventListener('scroll',()=>{if(scrollY+innerHeight>document.documentElement.scrollHeight-100&&list.children.length<200)more()})</script>`,
  "/worker": `<!doctype html><title>Worker</title><script>const sw=navigator.serviceWorker;
const ask=()=>fetch('/made').then(r=>r.text()).then(t=>document.title=t);sw.controller?ask():sw.addEventListener('controllerchange',ask);
sw.register('/worker.js')</script>`,
  "/socket": `<!doctype html><title>Socket</title><script>const s=new WebSocket('ws://'+location.host+'/ws');
s.onopen=()=>s.send('hello');s.onmessage=e=>{document.title=e.data;s.close()}</script>`,
  "/notes": `<!doctype html><title>Notes</title><script>const opening=indexedDB.open('notes',1);
opening.onupgradeneeded=()=>opening.result.createObjectStore('notes',{keyPath:'id'});
const store=()=>opening.result.transaction('notes','readwrite').objectStore('notes');
const show=()=>store().getAll().onsuccess=e=>document.title='notes: '+(e.target.result.map(n=>n.text).join(', ')||'none');
opening.onsuccess=()=>{opening.result.onversionchange=()=>opening.result.close();show()};
window.keep=(id,text)=>store().put({id,text}).onsuccess=show</script>`,
  "/colours": `<!doctype html><title>Colours</title><body style="margin:0"><div id=red style="width:100px;height:50px;background:#f00"></div>
<div id=blue style="width:60px;height:40px;background:#00f;margin-top:2000px"></div>`,
};
