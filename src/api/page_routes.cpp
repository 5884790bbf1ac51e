#include "api/page_routes.hpp"

#include <array>
#include <cstdlib>

#include "api/content_coding.hpp"
#include "api/envelope.hpp"
#include "base/log.hpp"
#include "page_files.hpp"

namespace agentdb9::api {
namespace {

// The addresses of the page's screens. No other path answers the page: what is not there stays a 404.
constexpr std::array kScreens{"/workspaces", "/workspaces/:id", "/workspaces/:id/:part",
                              "/projects",   "/projects/:id",   "/projects/:id/:part",
                              "/trash",      "/account",        "/account/:part",
                              "/admin",      "/admin/:part",    "/admin/:part/:id"};

// Nothing inline and nothing from elsewhere: what a workspace, a project or an error is called can never
// become part of the program. Applications, on their own origin, are shown in frames.
std::string content_security_policy(const std::string& applications) {
    return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
           "connect-src 'self'; frame-src " +
           (applications.empty() ? std::string("'none'") : applications) +
           "; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
}

// RFC 9110 section 13.1.2: weak comparison, so that a proxy which compresses may weaken the tag.
bool names_tag(std::string_view if_none_match, std::string_view tag) {
    return if_none_match == "*" || http::list_has(if_none_match, tag) ||
           http::list_has(if_none_match, "W/" + std::string(tag));
}

std::string_view body_of(const page::File& file, ContentCoding coding) {
    switch (coding) {
        case ContentCoding::kBrotli:
            return file.brotli;
        case ContentCoding::kGzip:
            return file.gzip;
        case ContentCoding::kIdentity:
            return file.bytes;
    }
    return file.bytes;
}

http::Response page_file(const http::Request& request, const page::File& file,
                         const ApplicationsOrigin& applications) {
    http::Response response;
    response.headers.set("Content-Security-Policy",
                         content_security_policy(applications_source(applications, request)));
    response.headers.set("X-Content-Type-Options", "nosniff");
    response.headers.set("Referrer-Policy", "no-referrer");
    // An application that the page opens gets no hold of the page's window.
    response.headers.set("Cross-Origin-Opener-Policy", "same-origin");
    response.headers.set("Cross-Origin-Resource-Policy", "same-origin");
    response.headers.set("Vary", "Accept-Encoding");
    // Another content has another name. What keeps its name is kept, but asked for each time: after an
    // upgrade nobody sees the old page.
    response.headers.set("Cache-Control", file.hashed ? "public, max-age=31536000, immutable" : "no-cache");
    const auto coding =
        best_coding(request.headers.get("Accept-Encoding"), {!file.brotli.empty(), !file.gzip.empty()});
    const auto name = coding_name(coding);
    const auto tag = "\"" + std::string(file.hash) + (name.empty() ? "" : "-") + std::string(name) + "\"";
    response.headers.set("ETag", tag);
    if (names_tag(request.headers.get("If-None-Match").value_or(""), tag)) {
        response.status = 304;
        return response;
    }
    response.headers.set("Content-Type", file.content_type);
    if (!name.empty()) response.headers.set("Content-Encoding", name);
    response.fixed_body = body_of(file, coding);
    return response;
}

// A browser that goes to an address, as opposed to a program that asks for it.
bool is_navigation(const http::Request& request) {
    auto list = request.headers.get("Accept").value_or("");
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto element = list.substr(0, comma);
        if (http::iequals(http::trim(element.substr(0, element.find(';'))), "text/html")) return true;
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
    return false;
}

}  // namespace

void add_page_routes(Router& router, const PageServices& services) {
    const page::File* document = nullptr;
    for (const auto& file : page::files()) {
        if (file.path == "/index.html") document = &file;
        const auto path = file.path == "/index.html" ? std::string_view("/") : file.path;
        router.add("GET", std::string(path), Access::kPublic,
                   [&file, services](Call& call) -> Task<http::Response> {
                       co_return page_file(call.request, file, services.applications());
                   });
    }
    if (document == nullptr) {
        log::error("the program has no page", {});
        std::abort();
    }
    for (const auto* screen : kScreens) {
        router.add("GET", screen, Access::kPublic, [document, services](Call& call) -> Task<http::Response> {
            if (!is_navigation(call.request))
                throw base::Error(base::ErrorCode::kNotFound, "not_found",
                                  "There is nothing at this path. The API's paths begin with /api.");
            co_return page_file(call.request, *document, services.applications());
        });
    }
    // What the page has to know before anybody has signed in.
    router.add("GET", "/page.json", Access::kPublic, [services](Call&) -> Task<http::Response> {
        http::Response response;
        response.headers.set("Content-Type", "application/json");
        response.headers.set("Cache-Control", "no-cache");
        response.headers.set("X-Content-Type-Options", "nosniff");
        response.body = json::serialize(json::object{{"registrationOpen", services.registration_open},
                                                     {"sharing", !services.applications().domain.empty()}});
        co_return response;
    });
}

}  // namespace agentdb9::api
