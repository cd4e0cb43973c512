/** Writes THIRD_PARTY_NOTICES.md: the licences of Bun and of every package that may be inside the binaries. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { formatted } from "./formatted.ts";

const root = join(import.meta.dir, "..");
const NOTICES = join(root, "THIRD_PARTY_NOTICES.md");
const modules = join(root, "node_modules");

type Manifest = {
  name: string;
  version: string;
  license?: string;
  repository?: string | { url: string };
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
};

/** Only their types are used. */
const TYPES_ONLY = /^(typescript|@types\/.*)$/;

const readManifest = async (directory: string): Promise<Manifest> =>
  await Bun.file(join(directory, "package.json")).json();

/** The closure of our dependencies over theirs, peers that must be there included. Rather one too many than one too few. */
async function runtimePackages(): Promise<Manifest[]> {
  const found = new Map<string, Manifest>();
  const visit = async (name: string): Promise<void> => {
    if (found.has(name) || TYPES_ONLY.test(name)) return;
    const manifest = await readManifest(join(modules, name));
    found.set(name, manifest);
    const peers = Object.keys(manifest.peerDependencies ?? {}).filter(
      (peer) => !manifest.peerDependenciesMeta?.[peer]?.optional,
    );
    // Native parts, one per machine: the ones that are here are those that are embedded.
    const native = Object.keys(manifest.optionalDependencies ?? {}).filter((part) => existsSync(join(modules, part)));
    for (const next of [...Object.keys(manifest.dependencies ?? {}), ...native, ...peers]) await visit(next);
  };
  for (const name of Object.keys((await readManifest(root)).dependencies ?? {})) await visit(name);
  return [...found.values()].toSorted((a, b) => a.name.localeCompare(b.name, "en"));
}

const APACHE = /Apache License\s+Version 2\.0, January 2004/;
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** Of packages whose licence names a text that they do not ship. */
const BSD_OF_GOOGLE = `Copyright 2008 Google Inc. All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following conditions are met:

* Redistributions of source code must retain the above copyright notice, this list of conditions and the following disclaimer.
* Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following disclaimer in the documentation and/or other materials provided with the distribution.
* Neither the name of Google Inc. nor the names of its contributors may be used to endorse or promote products derived from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT OWNER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.`;
const DECLARED: Record<string, string> = {
  MIT: `The package ships no licence text; it declares MIT:\n\n${MIT}`,
  "Apache-2.0": "Apache License, Version 2.0: the text of LICENSE.",
  "(Apache-2.0 AND BSD-3-Clause)": `Apache License, Version 2.0: the text of LICENSE. Parts come from Google's Protocol Buffers:\n\n${BSD_OF_GOOGLE}`,
};

/** All a package says of rights: its own licence, those of what it holds, and where the source of an LGPL part is. */
async function licenseText(manifest: Manifest): Promise<string> {
  const directory = join(modules, manifest.name);
  const files = readdirSync(directory)
    .toSorted()
    .filter((name) => /^(licen[cs]e|authors|patents|ffmpeg-source)(-[\w-]+)?(\.(md|txt))?$/i.test(name));
  const texts = await Promise.all(files.map(async (name) => (await Bun.file(join(directory, name)).text()).trim()));
  if (texts.length === 1 && APACHE.test(texts[0]!)) return DECLARED["Apache-2.0"]!;
  if (texts.length === 1) return texts[0]!;
  if (texts.length > 1) return texts.map((text, at) => `${files[at]}\n\n${text}`).join("\n\n\n");
  const declared = DECLARED[manifest.license ?? ""];
  if (declared) return declared;
  throw new Error(`${manifest.name} has no licence file, and ${manifest.license} is not known here`);
}

const fenced = (text: string): string => `\`\`\`\`text\n${text.replace(/[ \t]+$/gm, "")}\n\`\`\`\``;

async function packageSection(manifest: Manifest): Promise<string> {
  const { repository } = manifest;
  const source = typeof repository === "string" ? repository : repository?.url;
  const where = source ? `\n\nSource: ${source.replace(/^git\+/, "")}` : "";
  return `## ${manifest.name} ${manifest.version} (${manifest.license})${where}\n\n${fenced(await licenseText(manifest))}`;
}

/** Bun's own page on what it links, of exactly the version that is pinned: it comes with its type definitions. */
async function bunSection(): Promise<string> {
  const directory = join(modules, "bun-types");
  const { version } = await readManifest(directory);
  const page = await Bun.file(join(directory, "docs/project/license.mdx")).text();
  const body = page.replace(/^---\n[\s\S]*?\n---\n/, "").trim();
  return `## Bun ${version} (MIT, with LGPL parts)\n\nSource: https://github.com/oven-sh/bun\n\n${fenced(body)}`;
}

export async function renderNotices(): Promise<string> {
  const packages = await Promise.all((await runtimePackages()).map(packageSection));
  const text = `# Third-party notices

The programs \`hype\` and \`hype-agent\` are compiled with Bun and hold its runtime and the packages below. Guest images hold
Debian packages: each brings its own licence in \`/usr/share/doc\` of its package, and \`hype image inspect --json\` names them all.

This file is made by \`bun scripts/generate-notices.ts\`.

${[await bunSection(), ...packages].join("\n\n")}
`;
  return await formatted(NOTICES, text);
}

if (import.meta.main) await Bun.write(NOTICES, await renderNotices());
