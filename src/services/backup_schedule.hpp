// Backups without being asked: every so often of each project that may have changed since its last one, and
// no more than so many of them. What somebody asked for is never removed here. Control executor.
#pragma once

#include <set>

#include "services/backups.hpp"
#include "services/docker_volume_service.hpp"

namespace agentdb9::services {

struct ScheduleSettings {
    std::chrono::hours every{0};  // 0: none
    std::size_t keep = 7;         // a project, of those that this made
};

class BackupSchedule {
  public:
    BackupSchedule(const ProjectTools& tools, BackupService& backups, DockerVolumeService& volumes,
                   ScheduleSettings settings)
        : t_(tools), backups_(backups), volumes_(volumes), settings_(settings) {}

    // Begins what is due and removes what is too many. Called every few minutes; does nothing when it is off.
    Task<> run();

  private:
    Task<> begin_due();
    Task<> retire();
    bool is_due(store::Transaction& tx, const model::Project& project,
                const std::vector<model::Backup>& scheduled) const;

    ProjectTools t_;
    BackupService& backups_;
    DockerVolumeService& volumes_;
    ScheduleSettings settings_;
    std::set<std::string> told_;  // project and reason: each is worth one warning
};

}  // namespace agentdb9::services
