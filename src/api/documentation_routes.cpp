#include "api/documentation_routes.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/log.hpp"
#include "documentation_files.hpp"

namespace agentdb9::api {
namespace {

std::string_view file(std::string_view name) {
    const auto files = documentation::embedded_files();
    const auto found = std::ranges::find(files, name, &documentation::EmbeddedFile::name);
    if (found == files.end()) {
        log::error("a file of the documentation is not in the program", {{"file", name}});
        std::abort();
    }
    return found->bytes;
}

// The page's own scripts and styles, from this server, and nothing else.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

void add_file(Router& router, std::string path, std::string_view name, std::string_view type) {
    router.add("GET", std::move(path), Access::kPublic,
               [bytes = file(name), type](Call&) -> Task<http::Response> {
                   http::Response response;
                   response.headers.set("Content-Type", type);
                   response.headers.set("Cache-Control", "no-cache");
                   response.headers.set("Content-Security-Policy", kPolicy);
                   response.headers.set("X-Content-Type-Options", "nosniff");
                   response.fixed_body = bytes;
                   co_return response;
               });
}

}  // namespace

std::string_view openapi_document() {
    return file("openapi.json");
}

void add_documentation_routes(Router& router) {
    constexpr std::string_view kJson = "application/json; charset=utf-8";
    add_file(router, "/api/openapi.json", "openapi.json", kJson);
    add_file(router, "/api/docs-json", "openapi.json", kJson);
    add_file(router, "/api/docs", "page.html", "text/html; charset=utf-8");
    add_file(router, "/api/docs/page.js", "page.js", "text/javascript; charset=utf-8");
    add_file(router, "/api/docs/page.css", "page.css", "text/css; charset=utf-8");
}

}  // namespace agentdb9::api
