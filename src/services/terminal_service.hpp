// The terminals of workspaces: who has which, how many, and what ends them. In memory: they end with the
// server, and each is one server's where several work. Control executor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "services/activity_source.hpp"
#include "services/instance_finder.hpp"
#include "services/pending_start.hpp"
#include "services/terminal.hpp"

namespace agentdb9::services {

struct TerminalLimits {
    std::size_t per_workspace = 8;
    std::size_t per_user = 16;
    base::Duration keep = std::chrono::seconds(60);
};

struct TerminalStart {
    runtime::TerminalSize size;
    std::optional<std::string> session;  // absent: a new one
};

class TerminalService final : public ActivitySource {
  public:
    TerminalService(asio::any_io_executor executor, base::Clock& clock, runtime::Executions& executions,
                    const InstanceFinder& finder, TerminalLimits limits);

    // Who is about to open one, right after their permission was checked.
    PendingStart pending(auth::Principal principal) { return pending_.add(std::move(principal)); }
    // Throws kNotFound "workspace_not_found" or "terminal_not_found", kConflict "workspace_not_running",
    // "workspace_paused", "no_shell" or "no_input", kRateLimited "too_many_terminals", kUnavailable,
    // kTimeout, kUnauthenticated where the permission has ended meanwhile.
    Task<std::shared_ptr<TerminalAttachment>> open(PendingStart who, base::WorkspaceId workspace,
                                                   TerminalStart start);
    // The workspace's, the oldest first. The caller has looked whose it is.
    std::vector<std::shared_ptr<const Terminal>> of_workspace(const base::WorkspaceId& workspace) const;
    // Throws kNotFound "terminal_not_found". Returns once it has been told to end.
    void end(const base::WorkspaceId& workspace, const std::string& session);

    std::size_t running(const base::WorkspaceId& workspace) const;
    std::size_t running() const { return terminals_.size(); }
    // When bytes moved in one that is there.
    std::string_view name() const override { return "terminal"; }
    std::optional<base::Time> last_activity(const base::WorkspaceId& workspace) const override;

    void revoke(const auth::Revocation& revocation);
    void changed(const base::WorkspaceId& workspace);
    void finish();
    Task<> stop();

  private:
    std::shared_ptr<Terminal> find(const base::WorkspaceId& workspace, const std::string& session) const;
    // Throws where there is none.
    void make_room(const base::WorkspaceId& workspace, const base::UserId& user) const;
    void make_room_among(const std::function<bool(const Terminal::Facts&)>& those, std::size_t most,
                         std::string_view whose) const;
    static Task<> run(TerminalService& self, std::shared_ptr<Terminal> terminal);

    asio::any_io_executor executor_;
    base::Clock& clock_;
    runtime::Executions& executions_;
    const InstanceFinder& finder_;
    TerminalLimits limits_;
    PendingStarts pending_;
    bool finished_ = false;
    base::Signal one_ended_;
    std::map<std::string, std::shared_ptr<Terminal>> terminals_;
    base::Scope scope_;
};

}  // namespace agentdb9::services
