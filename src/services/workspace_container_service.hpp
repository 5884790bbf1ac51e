// Requests that change what runs. Each writes desired state and an operation in one transaction, wakes the
// reconciler and waits until it is reached, for a minute at most. Control executor.
#pragma once

#include <optional>

#include "model/schedule.hpp"
#include "services/reconciler.hpp"

namespace agentdb9::services {

// How a lifecycle request ended: done, or still going on (the operation says how far).
struct Requested {
    model::Operation operation;
    std::optional<model::Workspace> workspace;  // as it is now; absent once it is deleted
    bool finished = false;
};

struct RequestOptions {
    bool respond_async = false;      // do not wait
    bool force = false;              // stop and delete: end it without asking it first
    bool by_request = false;         // start: nobody asked for that itself, but for the application
    std::optional<model::Actor> by;  // who asks; absent: the owner
    // Start and stop: what the workspace's life tells of it, instead of that it was asked for.
    struct Cause {
        model::LifeEventKind kind;
        std::string why;
    };
    std::optional<Cause> cause;
    // Start and stop: asked in the transaction, whose row it may change; false: kConflict
    // "not_wanted_any_more".
    std::function<bool(store::Transaction&, model::Workspace&)> only_if;
};

struct WorkspaceStatusReport {
    model::Workspace workspace;
    model::Phase phase;
    bool container_running = false;
    std::optional<model::Instance> instance;
    std::string health;  // "healthy", "starting", "unhealthy", "stopped", "unknown"
    std::optional<model::Operation> operation;
    bool answers = false;  // the application has answered since it was started, and lately
    // What ended by itself since somebody last asked for the workspace.
    int recent_crashes = 0;
    std::optional<model::LifeEvent> last_crash;
};

class WorkspaceContainerService {
  public:
    WorkspaceContainerService(base::Clock& clock, store::Store& store, runtime::Runtime& runtime,
                              Reconciler& reconciler, RouteBook& routes, const model::Catalogue& catalogue,
                              model::Quota quota = {})
        : clock_(clock),
          store_(store),
          runtime_(runtime),
          reconciler_(reconciler),
          routes_(routes),
          catalogue_(catalogue),
          quota_(quota) {}

    // All throw Error: kNotFound for what is not the user's, kConflict for what is not possible now, and what
    // made the operation fail. kUnavailable "runtime_unavailable": recorded, and goes on by itself when the
    // engine is back.
    // A start also kQuota "quota_exceeded".
    // With `by_request` also kConflict "wake_not_allowed", kUnavailable "workspace_stopping".
    Task<Requested> start_workspace(base::UserId user, base::WorkspaceId workspace, RequestOptions options);
    Task<Requested> stop_workspace(base::UserId user, base::WorkspaceId workspace, RequestOptions options);
    Task<Requested> restart_workspace(base::UserId user, base::WorkspaceId workspace, RequestOptions options);
    Task<Requested> delete_workspace(base::UserId user, base::WorkspaceId workspace, RequestOptions options);
    // kInvalid "incompatible_type" when the project was made for another type of workspace.
    Task<Requested> switch_project_volume(base::UserId user, base::WorkspaceId workspace,
                                          base::ProjectId project, RequestOptions options);

    Task<WorkspaceStatusReport> workspace_status(base::UserId user, base::WorkspaceId workspace);
    // Where the workspace is just now, which may be ahead of its row.
    model::Phase live_phase(const model::Workspace& workspace) const;
    // The operation with what is known of its progress just now.
    model::Operation with_progress(model::Operation operation) const;

  private:
    // What a transaction decided.
    struct Decision {
        model::Workspace workspace;
        model::Operation operation;
        std::optional<model::Operation> superseded;
        std::optional<model::Workspace> promoted;  // the new default, where the old one is being deleted
        bool changed = true;                       // false: joins an operation that was under way
    };
    Task<Requested> carry_out(base::UserId user, Decision decision, RequestOptions options);
    static Decision decide(store::Transaction& tx, model::Workspace workspace, model::OperationKind kind,
                           const RequestOptions& options, std::optional<base::ProjectId> project,
                           base::Time now);
    static void ensure_current_project(store::Transaction& tx, model::Workspace& workspace, base::Time now);

    base::Clock& clock_;
    store::Store& store_;
    runtime::Runtime& runtime_;
    Reconciler& reconciler_;
    RouteBook& routes_;
    const model::Catalogue& catalogue_;
    model::Quota quota_;  // of each user, where the operator set none for that one
};

}  // namespace agentdb9::services
