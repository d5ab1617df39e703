// Bundles the page into dist/: index.html and hashed files under dist/assets/.
import { build, context } from "esbuild";
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const watch = process.argv.includes("--watch");
const dist = join(here, "dist");
// Built beside and swapped in, so that a host serving dist/ never sees half of it.
const out = watch ? dist : join(here, "dist.new");

const options = {
  absWorkingDir: here,
  entryPoints: { app: "src/main.tsx" },
  outdir: join(out, "assets"),
  bundle: true,
  format: "esm",
  // What is loaded later (land, editors) is in files of its own.
  splitting: true,
  target: ["es2022", "chrome109", "firefox115", "safari16.4"],
  minify: !watch,
  sourcemap: watch ? "linked" : false,
  metafile: true,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file", ".svg": "file" },
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
  plugins: [{ name: "page", setup: (b) => b.onEnd((result) => result.errors.length === 0 && page(result.metafile)) }],
};

/** Writes index.html with the hashed names of this build. */
async function page(metafile) {
  const names = Object.keys(metafile.outputs).map((path) => basename(path));
  const one = (pattern) => {
    const found = names.find((name) => pattern.test(name));
    if (!found) throw new Error(`the build made no file like ${pattern}`);
    return `/assets/${found}`;
  };
  // What the page begins with is asked for at once, not one after the other.
  const entry = Object.entries(metafile.outputs).find(([path]) => /^app-\w+\.js$/.test(basename(path)));
  const chunks = entry[1].imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => basename(path));
  const preloads = chunks.map((name) => `<link rel="modulepreload" href="/assets/${name}" />`);
  const template = await readFile(join(here, "index.html"), "utf8");
  const html = template
    .replaceAll("%SCRIPT%", one(/^app-\w+\.js$/))
    .replaceAll("%STYLE%", one(/^app-\w+\.css$/))
    .replaceAll("%PRELOADS%", preloads.join("\n    "))
    .replaceAll("%FONT%", one(/^inter-latin-wght-normal-\w+\.woff2$/));
  await mkdir(join(out, "assets"), { recursive: true });
  await cp(join(here, "icon.svg"), join(out, "assets", "icon.svg"));
  await writeFile(join(out, "assets", "licenses.txt"), await licenses(metafile));
  await writeFile(join(out, "index.html"), html);
}

/** The licence of every package that a byte of this build comes from: they ask to travel with it. */
async function licenses(metafile) {
  const used = Object.keys(metafile.inputs)
    .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
    .filter(Boolean);
  const texts = [...new Set(used)].sort().map(async (name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? await readFile(join(folder, file), "utf8") : "";
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}

await rm(out, { recursive: true, force: true });
if (watch) {
  const running = await context(options);
  await running.watch();
} else {
  await build(options);
  const old = join(here, "dist.old");
  await rm(old, { recursive: true, force: true });
  await rename(dist, old).catch((error) => {
    if (error.code !== "ENOENT") throw error;
  });
  await rename(out, dist);
  await rm(old, { recursive: true, force: true });
}
