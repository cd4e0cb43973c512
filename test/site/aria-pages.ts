/** Small documents, each with something that accessibility trees are known to get wrong. */
export const ARIA_PAGES: Record<string, string> = {
  names: `<button aria-label="By label">x</button><button aria-labelledby="n1 n2">y</button><span id=n1>First</span> <span id=n2>second</span>
<button title="By title"></button><button><img alt="By picture" src="data:,"></button><button><svg><title>By drawing</title></svg></button>
<input placeholder="By placeholder"><input type=submit><input type=submit value="By value"><input type=image alt="By alt">
<label>Wrapped <b>boldly</b> <input></label><label for=l1>One</label><label for=l1>two</label><input id=l1>
<a href=#>A <i>b</i><span hidden>c</span><span aria-hidden=true>d</span> e</a><a>not a link</a><button>  spaces
 and lines </button><button>Quote " back \\ colon: hash #</button>`,
  states: `<input type=checkbox checked aria-label=A><input type=checkbox aria-label=B id=mixed><div role=checkbox aria-checked=mixed tabindex=0>C</div>
<div role=switch aria-checked=true tabindex=0>D</div><button disabled>E</button><div role=button aria-disabled=true tabindex=0>F</div>
<button aria-expanded=true>G</button><button aria-pressed=mixed>H</button><input type=radio name=r checked aria-label=I>
<div role=option aria-selected=true>J</div><h3>K</h3><div role=heading aria-level=5>L</div><fieldset disabled><button>M</button><input aria-label=N></fieldset>
<script>mixed.indeterminate=true</script>`,
  structure: `<header>top</header><nav aria-label=Main><ul><li><a href=/a>A</a><li>plain<ul><li>inner</ul></ul></nav><main><section aria-label=Part><article><h2>H</h2><p>Text</p></article></section>
<aside>side</aside><form aria-label=F><input aria-label=I></form><form><input aria-label=J></form></main><footer>end</footer><hr><blockquote>said</blockquote><code>x=1</code><em>stress</em><strong>force</strong><del>gone</del><ins>new</ins><time>noon</time><mark>m</mark><sub>s</sub>`,
  tables: `<table><caption>Cap</caption><thead><tr><th>H1<th>H2</thead><tbody><tr><th scope=row>R<td>1<tr><td colspan=2><button>In</button></tbody></table>
<table role=presentation><tr><td>laid out</table><div role=grid aria-label=G><div role=row><div role=gridcell>a</div><div role=columnheader>b</div></div></div>`,
  widgets: `<select aria-label=S><option>a<option selected>b<optgroup label=Og><option>c</optgroup></select><select multiple aria-label=M><option selected>x<option>y</select>
<input type=range aria-label=R value=3><input type=number aria-label=N value=5><input type=search aria-label=Q value=find><input type=password aria-label=P value=secret><input type=email aria-label=E value=a@b><input type=file aria-label=F><input type=hidden value=h>
<textarea aria-label=T>text</textarea><progress aria-label=Pr value=.5></progress><meter aria-label=Me value=2 max=5></meter><div role=slider aria-valuenow=4 tabindex=0 aria-label=Sl></div>
<div role=combobox aria-label=Co tabindex=0>shown</div><input list=dl aria-label=Dl><datalist id=dl><option>o</datalist><div role=tree><div role=treeitem aria-expanded=false>ti</div></div><output>out</output><details open><summary>sum</summary>body</details>`,
  hidden: `<div hidden>no1</div><div style="display:none">no2</div><div style="visibility:hidden">no3 <b style="visibility:visible">yes3</b></div><div aria-hidden=true><button>no4</button></div>
<div style="opacity:0">yes5</div><div style="position:absolute;left:-9999px">yes6</div><template>no7</template><noscript>no8</noscript><div inert><button>inert9</button></div><details><summary>s</summary>no10</details><button style="width:0;height:0;overflow:hidden;padding:0;border:0">tiny</button>`,
  generated: `<style>.a::before{content:"before "}.a::after{content:" after"}.i::before{content:url(data:,)}</style><button class=a>mid</button><p class=a>para</p><a href=# class=i>icon</a>`,
  nested: `<div role=presentation><button>in none</button></div><div role=none><ul role=none><li>item</ul></div><button><div><span>deep</span> <span>er</span></div></button><a href=/x><h3>Head</h3><p>para</p></a><div role=button tabindex=0><a href=/y>inner link</a></div><div role=group aria-label=Gr>g</div><div role=region aria-labelledby=rl><h2 id=rl>Rl</h2></div><div role="nonsense button">fallback</div>`,
  live: `<div role=alert>Alarm</div><div role=status>Stat</div><div aria-live=polite>pol</div><dialog open aria-label=D><button>ok</button></dialog><div role=alertdialog aria-label=AD>x</div><div role=tooltip>tip</div><div role=log>l</div><div role=timer>t</div><div role=img aria-label=Im></div><figure><img alt=Fi src="data:,"><figcaption>cap</figcaption></figure><img alt="" src="data:,"><img src="data:,"><iframe title=Fr srcdoc="<button>inframe</button>"></iframe>`,
  shadow: `<x-a>slotted <b slot=s>named</b></x-a><script>customElements.define('x-a',class extends HTMLElement{constructor(){super();this.attachShadow({mode:'open'}).innerHTML='<p>shadow</p><slot name=s></slot><button>in</button><slot>fallback</slot>'}})</script>`,
};
