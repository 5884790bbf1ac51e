#include "services/terminal_service.hpp"

#include <algorithm>

#include "base/ids.hpp"
#include "services/feed.hpp"
#include "services/running_instance.hpp"

namespace agentdb9::services {
namespace {

constexpr base::Duration kLook{100};
// For programs to end when the server does.
constexpr base::Duration kLastMoment{8000};

std::string make_id() {
    const auto text = base::make_uuid();
    return {text.data(), text.size()};
}

base::Error no_such_terminal() {
    return base::Error(base::ErrorCode::kNotFound, "terminal_not_found",
                       "This terminal is not there any more: it has ended, or its time without a connection "
                       "was over. Open a new one.");
}

base::Error too_many(std::string_view whose, std::size_t open, std::size_t most) {
    return base::Error(base::ErrorCode::kRateLimited, "too_many_terminals",
                       std::to_string(open) + " terminals are open " + std::string(whose) + ", and " +
                           std::to_string(most) + " may be at once. End one, and try again.")
        .with_retry_after(2);
}

}  // namespace

TerminalService::TerminalService(asio::any_io_executor executor, base::Clock& clock,
                                 runtime::Executions& executions, const InstanceFinder& finder,
                                 TerminalLimits limits)
    : executor_(executor),
      clock_(clock),
      executions_(executions),
      finder_(finder),
      limits_(limits),
      one_ended_(executor),
      scope_(std::move(executor)) {}

std::shared_ptr<Terminal> TerminalService::find(const base::WorkspaceId& workspace,
                                                const std::string& session) const {
    const auto found = terminals_.find(session);
    if (found == terminals_.end() || found->second->facts().workspace != workspace ||
        found->second->is_gone())
        throw no_such_terminal();
    return found->second;
}

std::size_t TerminalService::running(const base::WorkspaceId& workspace) const {
    return of_workspace(workspace).size();
}

std::optional<base::Time> TerminalService::last_activity(const base::WorkspaceId& workspace) const {
    std::optional<base::Time> last;
    for (const auto& terminal : of_workspace(workspace))
        if (!last || terminal->used_at() > *last) last = terminal->used_at();
    return last;
}

std::vector<std::shared_ptr<const Terminal>> TerminalService::of_workspace(
    const base::WorkspaceId& workspace) const {
    std::vector<std::shared_ptr<const Terminal>> all;
    for (const auto& [id, terminal] : terminals_)
        if (terminal->facts().workspace == workspace && !terminal->is_gone()) all.push_back(terminal);
    std::ranges::sort(all, {}, [](const auto& each) { return each->facts().created_at; });
    return all;
}

void TerminalService::make_room(const base::WorkspaceId& workspace, const base::UserId& user) const {
    make_room_among([&](const Terminal::Facts& facts) { return facts.workspace == workspace; },
                    limits_.per_workspace, "in this workspace");
    make_room_among([&](const Terminal::Facts& facts) { return facts.principal.user == user; },
                    limits_.per_user, "in your workspaces");
}

// The end of one that nobody has is kept only as long as its place is not needed.
void TerminalService::make_room_among(const std::function<bool(const Terminal::Facts&)>& those,
                                      std::size_t most, std::string_view whose) const {
    std::size_t open = 0;
    std::shared_ptr<Terminal> oldest;
    for (const auto& [id, terminal] : terminals_) {
        if (terminal->is_gone() || !those(terminal->facts())) continue;
        ++open;
        if (terminal->how_it_ended() && !terminal->attached() &&
            (!oldest || terminal->facts().created_at < oldest->facts().created_at))
            oldest = terminal;
    }
    if (open < most) return;
    if (!oldest) throw too_many(whose, open, most);
    oldest->told();
}

Task<> TerminalService::run(TerminalService& self, std::shared_ptr<Terminal> terminal) {
    std::exception_ptr failure;
    try {
        co_await terminal->run(self.scope_);
    } catch (...) {
        failure = std::current_exception();
    }
    self.terminals_.erase(terminal->facts().id);
    self.one_ended_.notify_all();
    if (failure) std::rethrow_exception(failure);
}

Task<std::shared_ptr<TerminalAttachment>> TerminalService::open(PendingStart who, base::WorkspaceId workspace,
                                                                TerminalStart start) {
    if (start.session) {
        const auto terminal = find(workspace, *start.session);
        co_await terminal->begun();
        if (finished_) throw shutting_down();
        who.require_permission();
        co_return terminal->attach(who.principal());
    }
    const auto user = who.principal().user;
    auto instance = co_await running_instance(finder_, user, workspace);
    // Nothing below waits until it is counted.
    if (finished_) throw shutting_down();
    who.require_permission();
    make_room(workspace, user);
    auto terminal = std::make_shared<Terminal>(
        executor_, clock_, executions_,
        Terminal::Facts{.id = make_id(),
                        .workspace = workspace,
                        .principal = who.principal(),
                        .instance = instance,
                        .created_at = clock_.now(),
                        .keep = limits_.keep,
                        .instance_is_gone =
                            [this, workspace, instance] {
                                return instance_is_gone(clock_, finder_, workspace, instance);
                            }},
        start.size);
    terminals_.emplace(terminal->facts().id, terminal);
    scope_.spawn("run a terminal", run(*this, terminal));
    std::optional<base::Error> failure;
    try {
        co_await terminal->begun();
    } catch (const base::Error& error) {
        failure = error;
    }
    if (failure) throw as_workspaces(*failure);
    co_return terminal->attach(who.principal());
}

void TerminalService::end(const base::WorkspaceId& workspace, const std::string& session) {
    find(workspace, session)->end(CommandEnding::kAsked);
}

void TerminalService::revoke(const auth::Revocation& revocation) {
    pending_.revoke(revocation);
    for (const auto& [id, terminal] : terminals_)
        if (revocation.covers(terminal->facts().principal)) terminal->end(CommandEnding::kSignedOut);
}

void TerminalService::changed(const base::WorkspaceId& workspace) {
    const auto serving = finder_.serving(workspace);
    const bool deleted = !finder_.is_there(workspace);
    for (const auto& [id, terminal] : terminals_) {
        const auto& facts = terminal->facts();
        if (facts.workspace != workspace) continue;
        if (deleted) terminal->keep_no_longer();
        if (!serving.empty() && serving != facts.instance) terminal->end(CommandEnding::kWorkspaceStopped);
    }
}

void TerminalService::finish() {
    finished_ = true;
    for (const auto& [id, terminal] : terminals_)
        terminal->end(CommandEnding::kShuttingDown);
}

Task<> TerminalService::stop() {
    finish();
    const auto until = clock_.steady_now() + kLastMoment;
    while (!terminals_.empty() && clock_.steady_now() < until)
        co_await base::with_timeout(clock_, kLook, one_ended_.wait());
    co_await scope_.close();
}

}  // namespace agentdb9::services
