// Every file of a built page, as C++ that carries it: `.incbin` of the bytes and of their compressed forms, so that a
// changed page compiles in no time.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};
const compressible = new Set(['.css', '.html', '.js', '.json', '.svg']);

// What is not worth a header is served as it is.
const smaller = (compressed, bytes) => (compressed.length < bytes.length - 32 ? compressed : undefined);

function read(dist) {
  return readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((file) => {
      const extension = extname(file);
      const type = types[extension];
      if (!type) throw new Error(`${file}: a file of the page has no content type; add it to web/build/pack.mjs`);
      const bytes = readFileSync(file);
      const path = `/${relative(dist, file)}`;
      const may = compressible.has(extension);
      return {
        path,
        type,
        bytes,
        // Vite gives what it writes below assets/ a name with a hash of its content.
        hashed: path.startsWith('/assets/'),
        hash: createHash('sha256').update(bytes).digest('hex').slice(0, 16),
        brotli: may ? smaller(brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS } }), bytes) : undefined,
        gzip: may ? smaller(gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }), bytes) : undefined,
      };
    });
}

/** How much script and style the document itself asks for, in bytes as brotli. */
export function firstLoad(files) {
  const document = files.find((each) => each.path === '/index.html').bytes.toString();
  const sum = (extension) => files
    .filter((each) => each.path.endsWith(extension) && document.includes(`"${each.path}"`))
    .reduce((total, each) => total + (each.brotli ?? each.bytes).length, 0);
  return { script: sum('.js'), style: sum('.css') };
}

/** Writes OUT/page_files.hpp, OUT/page_files.cpp and OUT/packed/…; answers the files. */
export function pack(dist, out) {
  const files = read(dist);
  const folder = join(out, 'packed');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const blobs = [];
  const blob = (bytes) => {
    if (!bytes) return 'std::string_view()';
    const name = `agentdb9_page_${blobs.length}`;
    const path = join(folder, String(blobs.length));
    writeFileSync(path, bytes);
    blobs.push({ name, path });
    return `std::string_view(${name}, ${bytes.length})`;
  };
  const rows = files.map((each) => `    {${JSON.stringify(each.path)}, ${JSON.stringify(each.type)}, "${each.hash}", ${each.hashed},\n     ` +
    `${blob(each.bytes)},\n     ${blob(each.brotli)},\n     ${blob(each.gzip)}},`);
  writeFileSync(join(out, 'page_files.hpp'), `// Made by web/build/pack.mjs.
#pragma once
#include <span>
#include <string_view>
namespace agentdb9::api::page {
struct File {
    std::string_view path;  // "/index.html"
    std::string_view content_type;
    std::string_view hash;  // of its bytes
    bool hashed;            // its name changes with its content
    std::string_view bytes;
    std::string_view brotli;  // empty where it is no smaller
    std::string_view gzip;    // likewise
};
std::span<const File> files();
}  // namespace agentdb9::api::page
`);
  writeFileSync(join(out, 'page_files.cpp'), `// Made by web/build/pack.mjs.
#include "page_files.hpp"
${blobs.map(({ name, path }) => `__asm__(".section .rodata.agentdb9_page,\\"a\\",@progbits\\n.global ${name}\\n${name}:\\n.incbin ${JSON.stringify(path).replaceAll('"', '\\"')}\\n.byte 0\\n.text\\n");
extern "C" const char ${name}[] __attribute__((visibility("hidden")));`).join('\n')}
namespace agentdb9::api::page {
namespace {
const File kFiles[] = {
${rows.join('\n')}
};
}  // namespace
std::span<const File> files() { return kFiles; }
}  // namespace agentdb9::api::page
`);
  return files;
}
