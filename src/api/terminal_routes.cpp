#include "api/terminal_routes.hpp"

#include <algorithm>
#include <charconv>

#include "api/api.hpp"
#include "api/body.hpp"
#include "api/envelope.hpp"
#include "api/terminal_link.hpp"

namespace agentdb9::api {
namespace {

using base::WorkspaceId;
using services::Terminal;

base::Error websocket_required() {
    return base::Error(base::ErrorCode::kInvalid, "websocket_required",
                       "A terminal is opened as a WebSocket: GET with Upgrade: websocket, "
                       "Sec-WebSocket-Version: 13 and a Sec-WebSocket-Key (RFC 6455).");
}

// RFC 6455 section 4.2.1.
std::string accept_of(const http::Request& request) {
    const auto field = [&](std::string_view name) { return request.headers.get(name).value_or(""); };
    const auto accept = http::websocket_accept(field("Sec-WebSocket-Key"));
    const bool asked = request.method == "GET" && http::list_has(field("Upgrade"), "websocket") &&
                       http::list_has(field("Connection"), "upgrade") &&
                       http::trim(field("Sec-WebSocket-Version")) == "13" && request.body.empty();
    if (!asked || !accept) throw websocket_required();
    return *accept;
}

std::optional<std::int64_t> number(const Call& call, std::string_view field, std::int64_t least,
                                   std::int64_t most) {
    const auto text = call.query(field);
    if (!text) return std::nullopt;
    std::int64_t value = 0;
    const auto* end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, value);
    if (error != std::errc() || stop != end || value < least || value > most) {
        throw base::invalid_field(std::string(field), "must be a whole number from " + std::to_string(least) +
                                                          " to " + std::to_string(most));
    }
    return value;
}

// Of those that this server gives out.
std::optional<std::string> word(const Call& call, std::string_view field) {
    constexpr std::size_t kLongest = 200;
    const auto is_part = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("-_.").contains(c);
    };
    auto text = call.query(field);
    if (text && (text->empty() || text->size() > kLongest || !std::ranges::all_of(*text, is_part)))
        throw base::invalid_field(std::string(field), "must be one that this server gave out");
    return text;
}

json::object to_json(const Terminal& terminal) {
    json::object out{{"id", terminal.facts().id},
                     {"workspaceId", terminal.facts().workspace.view()},
                     {"createdAt", base::format_time(terminal.facts().created_at)},
                     {"attached", terminal.attached()},
                     {"ended", terminal.how_it_ended().has_value()},
                     {"columns", terminal.size().columns},
                     {"rows", terminal.size().rows},
                     {"outputBytes", terminal.output().end()}};
    return out;
}

class TerminalRoutes {
  public:
    explicit TerminalRoutes(const TerminalServices& services) : s_(services) {}

    Task<http::Response> open(Call& call) {
        const auto caller = co_await identify(call);
        auto who = s_.terminals.pending(caller);
        const auto id = call.id<WorkspaceId>("id");
        co_await s_.workspaces.find(caller.user, id);
        services::TerminalStart start;
        const auto columns = number(call, "columns", 1, 1000);
        const auto rows = number(call, "rows", 1, 1000);
        start.size = {static_cast<int>(columns.value_or(start.size.columns)),
                      static_cast<int>(rows.value_or(start.size.rows))};
        start.session = word(call, "session");
        word(call, "ticket");
        const auto after = number(call, "after", 0, std::numeric_limits<std::int64_t>::max());
        if (after && !start.session) throw base::invalid_field("after", "needs a session");
        const auto accept = accept_of(call.request);
        const bool anew = start.session.has_value();
        auto attachment = co_await s_.terminals.open(std::move(who), id, start);
        if (anew && columns && rows) co_await attachment->terminal->resize(start.size);
        auto link = std::make_shared<TerminalLink>(
            s_.clock, std::move(attachment),
            after ? std::optional(static_cast<std::uint64_t>(*after)) : std::nullopt);
        http::Response response;
        response.status = 101;
        response.headers.set("Upgrade", "websocket");
        response.headers.set("Sec-WebSocket-Accept", accept);
        response.next_piece = [link] { return link->next(); };
        response.take_piece = [link](std::string piece) { return link->take(std::move(piece)); };
        response.caller = {.user = caller.user.str(),
                           .session = caller.session ? caller.session->str() : std::string(),
                           .api_token = caller.api_token ? caller.api_token->str() : std::string(),
                           .ends_at = caller.ends_at};
        co_return response;
    }

    Task<http::Response> list(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        co_await s_.workspaces.find(call.user().user, id);
        json::array rows;
        for (const auto& terminal : s_.terminals.of_workspace(id))
            rows.push_back(to_json(*terminal));
        co_return ok(std::move(rows));
    }

    Task<http::Response> end(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        co_await s_.workspaces.find(call.user().user, id);
        s_.terminals.end(id, std::string(call.parameter("terminalId")));
        co_return ok(nullptr, "Terminal ended");
    }

    Task<http::Response> ticket(Call& call) {
        const auto id = call.id<WorkspaceId>("id");
        co_await s_.workspaces.find(call.user().user, id);
        Body(call.request).finish();
        const auto ticket = co_await s_.tickets.issue(call.user(), id, services::kTerminalPort);
        co_return created(
            json::object{{"ticket", ticket.text}, {"expiresAt", base::format_time(ticket.expires_at)}});
    }

  private:
    Task<auth::Principal> identify(Call& call) {
        if (call.principal) co_return *call.principal;
        const auto ticket = call.query("ticket").value_or(std::string());
        auto caller = co_await s_.tickets.redeem_for_terminal(ticket, call.id<WorkspaceId>("id"));
        if (!caller && caller.error() == auth::Failure::kUnavailable) throw error_of(caller.error());
        if (!caller) {
            throw base::Error(base::ErrorCode::kUnauthenticated, "ticket_invalid",
                              "This ticket was used already, is too old or is not valid. Ask for a new one.");
        }
        co_return std::move(*caller);
    }

    TerminalServices s_;
};

}  // namespace

void add_terminal_routes(Router& router, const TerminalServices& services) {
    auto routes = std::make_shared<TerminalRoutes>(services);
    const auto add = [&](std::string method, std::string path, Access access,
                         Task<http::Response> (TerminalRoutes::*handler)(Call&)) {
        router.add(std::move(method), "/api/workspaces/:id" + std::move(path), access,
                   [routes, handler](Call& call) { return (*routes.*handler)(call); });
    };
    add("GET", "/terminal", Access::kTicket, &TerminalRoutes::open);
    add("GET", "/terminals", Access::kUser, &TerminalRoutes::list);
    add("DELETE", "/terminals/:terminalId", Access::kUser, &TerminalRoutes::end);
    add("POST", "/terminal-ticket", Access::kUser, &TerminalRoutes::ticket);
}

}  // namespace agentdb9::api
