#include "services/adoption.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/log.hpp"

namespace agentdb9::services {

using model::AdoptionKind;
using store::Transaction;

namespace {

// What is asked of the database about each stray.
struct Judge {
    explicit Judge(Transaction& transaction) : tx(transaction) {
        for (const auto& user : tx.users().all())
            emails.emplace(user.id, user.email);
        for (const auto& adoption : tx.adoptions().all()) {
            if (adoption.kind != AdoptionKind::kVolume) continue;
            const auto id = base::ProjectId::parse(adoption.owner_id);
            if (auto project = id ? tx.projects().find(*id) : std::nullopt)
                taken.emplace(adoption.runtime_id, std::move(*project));
        }
    }

    AdoptionFinding volume(const runtime::Volume& volume) {
        AdoptionFinding finding{
            .kind = AdoptionKind::kVolume, .runtime_id = volume.name, .name = volume.name};
        finding.owner_id = volume.project_id ? volume.project_id->str() : std::string();
        const auto project = volume.project_id ? tx.projects().find(*volume.project_id) : std::nullopt;
        if (!project) {
            finding.refusal = "this database has no project of its id";
            return finding;
        }
        describe(finding, project->name, project->user_id);
        const auto expected = project->volume_name.value_or(model::project_volume_name(project->id));
        if (expected != volume.name) {
            finding.refusal = "the project's files are in the volume '" + expected + "'";
        } else {
            taken.emplace(volume.name, *project);
        }
        return finding;
    }

    AdoptionFinding instance(const model::Instance& instance) {
        AdoptionFinding finding{
            .kind = AdoptionKind::kInstance, .runtime_id = instance.id, .name = instance.name};
        finding.owner_id = instance.workspace_id.str();
        finding.running = model::holds_volumes(instance.state);
        const auto workspace = tx.workspaces().find(instance.workspace_id);
        if (!workspace) {
            finding.refusal = "this database has no workspace of its id";
            return finding;
        }
        describe(finding, workspace->name, workspace->user_id);
        finding.refusal = against(*workspace, instance, finding);
        return finding;
    }

  private:
    std::string against(const model::Workspace& workspace, const model::Instance& instance,
                        AdoptionFinding& finding) {
        if (workspace.desired_state == model::DesiredState::kDeleted) return "its workspace is being deleted";
        if (workspace.generation != 0) return "its workspace was started by this server already";
        if (instance.name != model::instance_name(workspace.id))
            return "its name is not its workspace's, '" + model::instance_name(workspace.id) + "'";
        for (const auto& volume : instance.volumes) {
            const auto found = taken.find(volume);
            if (found == taken.end()) continue;
            if (found->second.user_id != workspace.user_id) return "it has a project of another user";
            if (!used.insert(volume).second) return "another container has the same project";
            finding.project_id = found->second.id;
            return {};
        }
        return "it mounts no volume that can be adopted; what files it has are in its own layer: copy them "
               "out, "
               "then remove or rename it";
    }
    void describe(AdoptionFinding& finding, const std::string& name, const base::UserId& user) {
        finding.owner_name = name;
        if (const auto found = emails.find(user); found != emails.end()) finding.user_email = found->second;
    }

    Transaction& tx;
    std::map<base::UserId, std::string> emails;
    std::map<std::string, model::Project> taken;  // volumes that are, or can be, adopted
    std::set<std::string> used;                   // of these, by an instance
};

void record(Transaction& tx, const AdoptionFinding& finding, base::Time now) {
    model::Adoption adoption{.runtime_id = finding.runtime_id,
                             .kind = finding.kind,
                             .owner_id = finding.owner_id,
                             .adopted_at = now};
    if (finding.kind == AdoptionKind::kVolume) {
        auto project = tx.projects().find(base::ProjectId::parse(finding.owner_id).value());
        project->volume_name = finding.name;
        tx.projects().update(*project);
    } else {
        auto workspace = tx.workspaces().find(base::WorkspaceId::parse(finding.owner_id).value());
        workspace->generation = ++workspace->last_generation;
        adoption.generation = workspace->generation;
        // What its row says of the current project may be what an earlier switch wanted and never did.
        workspace->current_project_id = finding.project_id;
        workspace->container_name = finding.name;
        if (finding.running) workspace->desired_state = model::DesiredState::kRunning;
        workspace->updated_at = now;
        tx.workspaces().update(*workspace);
    }
    tx.adoptions().insert(adoption);
}

}  // namespace

std::vector<AdoptionFinding> judge_strays(Transaction& tx, const runtime::Strays& strays) {
    Judge judge(tx);
    std::vector<AdoptionFinding> findings;
    for (const auto& volume : strays.volumes)
        findings.push_back(judge.volume(volume));
    // One that runs has the better claim to a project.
    for (const bool running : {true, false}) {
        for (const auto& instance : strays.instances) {
            if (model::holds_volumes(instance.state) == running) findings.push_back(judge.instance(instance));
        }
    }
    return findings;
}

runtime::Adopted adopted_in(Transaction& tx) {
    runtime::Adopted adopted;
    for (const auto& row : tx.adoptions().all()) {
        if (row.kind == AdoptionKind::kVolume) {
            adopted.volumes.insert(row.runtime_id);
        } else {
            adopted.instances.emplace(row.runtime_id, row.generation);
        }
    }
    return adopted;
}

Task<> AdoptionService::load() {
    runtime_.set_adopted(co_await store_.read([](Transaction& tx) { return adopted_in(tx); }));
}

Task<std::vector<AdoptionFinding>> AdoptionService::look() {
    const auto strays = co_await runtime_.strays();
    co_return co_await store_.read([&strays](Transaction& tx) { return judge_strays(tx, strays); });
}

Task<std::vector<AdoptionFinding>> AdoptionService::adopt() {
    const auto strays = co_await runtime_.strays();
    const auto now = clock_.now();
    auto findings = co_await store_.write([strays, now](Transaction& tx) {
        auto judged = judge_strays(tx, strays);
        const auto taken = [](const AdoptionFinding& finding) { return finding.refusal.empty(); };
        // Before what the changed workspaces tell by themselves.
        if (std::ranges::any_of(judged, taken)) tx.notices().send(std::string(kAdoptionNotice));
        for (const auto& finding : judged) {
            if (taken(finding)) record(tx, finding, now);
        }
        return judged;
    });
    co_await load();
    for (const auto& finding : findings) {
        log::info(
            finding.refusal.empty() ? "adopted" : "not adopted",
            {{"kind", model::to_text(finding.kind)}, {"name", finding.name}, {"reason", finding.refusal}});
        if (finding.kind != AdoptionKind::kInstance || !finding.refusal.empty()) continue;
        co_await runtime_.join_network(finding.runtime_id);
        adopted_(base::WorkspaceId::parse(finding.owner_id).value());
    }
    co_return findings;
}

}  // namespace agentdb9::services
