#include "services/projects_told.hpp"

#include <algorithm>
#include <ranges>

namespace agentdb9::services {
namespace {

constexpr std::size_t kAtOnce = 1000;
constexpr std::size_t kLatest = 20;
constexpr std::size_t kMostGone = 1000;

}  // namespace

ProjectsTold::Rows ProjectsTold::read(store::Transaction& tx, const base::UserId& user,
                                      const std::set<base::OperationId>& under_way) {
    Rows rows;
    store::Page page{.limit = kAtOnce, .cursor = {}};
    do {
        auto some = tx.projects().of_user(user, page);
        std::ranges::move(some.rows, std::back_inserter(rows.projects));
        page.cursor = std::move(some.next);
    } while (page.cursor);
    rows.operations = tx.project_operations().of_user(user, {.limit = kLatest, .cursor = {}}).rows;
    const auto add = [&rows](model::ProjectOperation row) {
        if (std::ranges::find(rows.operations, row.id, &model::ProjectOperation::id) == rows.operations.end())
            rows.operations.push_back(std::move(row));
    };
    for (auto& row : tx.project_operations().open_of_user(user))
        add(std::move(row));
    for (const auto& id : under_way)
        if (auto row = tx.project_operations().find(id)) add(std::move(*row));
    return rows;
}

void ProjectsTold::take(const Rows& rows, std::uint64_t version, const UserEventWriter& writer) {
    std::map<base::ProjectId, Told> projects;
    for (const auto& row : rows.projects) {
        auto& told = projects[row.id];
        if (const auto known = projects_.find(row.id); known != projects_.end())
            told = std::move(known->second);
        told.put(writer(row), version);
        gone_.erase(row.id);
    }
    for (const auto& [id, told] : projects_)
        if (!projects.contains(id)) gone_[id].put(writer(ProjectGone{id}), version);
    projects_ = std::move(projects);
    if (gone_.size() > kMostGone)
        gone_.erase(
            std::ranges::min_element(gone_, {}, [](const auto& each) { return each.second.version; }));

    std::map<base::OperationId, Told> operations;
    under_way_.clear();
    for (const auto& row : rows.operations) {
        const bool open = model::is_open(row.state);
        auto& told = operations[row.id];
        if (const auto known = operations_.find(row.id); known != operations_.end())
            told = std::move(known->second);
        // What had ended before the feed began is no news to anybody.
        told.put(writer(row), version == 1 && !open ? 0 : version);
        if (open) under_way_.insert(row.id);
    }
    operations_ = std::move(operations);
}

std::vector<base::ProjectId> ProjectsTold::ids() const {
    const auto ids = projects_ | std::views::keys;
    return {ids.begin(), ids.end()};
}

std::string ProjectsTold::present() const {
    std::string text;
    for (const auto& [id, told] : projects_)
        text += told.text;
    for (const auto& id : under_way_)
        text += operations_.at(id).text;
    return text;
}

std::string ProjectsTold::since(std::uint64_t version) const {
    std::string text;
    for (const auto& [id, told] : projects_)
        if (told.version > version) text += told.text;
    for (const auto& [id, told] : operations_)
        if (told.version > version) text += told.text;
    for (const auto& [id, told] : gone_)
        if (told.version > version) text += told.text;
    return text;
}

}  // namespace agentdb9::services
