// Copies the pinned front-end packages from node_modules into static/, with their licences and
// a manifest of sha256 sums, and builds the icon sprite from the names in icons.txt.
// Run by `make vendor` after `npm ci`; what it writes is committed, so running never needs npm.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "..", "node_modules");

const PACKAGES = [
  { name: "htmx.org", folder: "htmx", files: { "dist/htmx.min.js": "htmx.min.js", LICENSE: "LICENSE" } },
  {
    name: "swagger-ui-dist",
    folder: "swagger-ui",
    files: {
      "swagger-ui.css": "swagger-ui.css",
      "swagger-ui-bundle.js": "swagger-ui-bundle.js",
      "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
      LICENSE: "LICENSE",
      NOTICE: "NOTICE",
    },
  },
  { name: "@tabler/icons", folder: "tabler-icons", files: { LICENSE: "LICENSE" } },
];

const manifest = [];

for (const entry of readdirSync(here, { withFileTypes: true })) {
  if (entry.isDirectory()) rmSync(join(here, entry.name), { recursive: true });
}

for (const { name, folder, files } of PACKAGES) {
  const { version, license } = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
  const target = `${folder}-${version}`;
  mkdirSync(join(here, target), { recursive: true });
  const sums = {};
  for (const [from, to] of Object.entries(files)) {
    cpSync(join(modules, name, from), join(here, target, to));
    sums[to] = createHash("sha256").update(readFileSync(join(here, target, to))).digest("hex");
  }
  manifest.push({ name, version, license, folder: target, sha256: sums });
}

const icons = join(modules, "@tabler", "icons", "icons", "outline");
const names = readFileSync(join(here, "icons.txt"), "utf8").split(/\s+/).filter(Boolean);
const symbols = names.map((name) => {
  const inner = readFileSync(join(icons, `${name}.svg`), "utf8")
    .replace(/^[\s\S]*?<svg[\s\S]*?>/, "")
    .replace(/<\/svg>\s*$/, "")
    .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none" \/>/, "")
    .replace(/\s*\n\s*/g, "");
  return `<symbol id="${name}" viewBox="0 0 24 24">${inner}</symbol>`;
});
writeFileSync(
  join(here, "..", "img", "icons.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`,
);
writeFileSync(join(here, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
