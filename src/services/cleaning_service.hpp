// Putting away, by schedules and when asked: each duty's last run stands in the database, so that with
// several servers one does it, and one that asks sees what another did. One cleaning at a time; looking (a
// dry run) needs no turn. Control executor.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "services/cleaning_duties.hpp"
#include "services/image_keeper.hpp"

namespace agentdb9::services {

struct CleaningReport {
    bool dry_run = false;
    std::optional<std::string> paused_because;
    std::vector<model::DutyReport> duties;  // those that are on
};

// How a duty's last run went.
struct DutyRun {
    base::Time started_at;
    std::optional<base::Time> finished_at;  // absent: it goes on, or its server died over it
    std::string by;                         // "schedule", "admin", "operator"
    std::string server;                     // whose run it is, where there are several
    std::size_t done = 0;
    std::size_t kept = 0;
    std::vector<model::CleaningItem> failed;  // the first few
    std::string problem;
};

struct DutyState {
    model::Duty duty = model::Duty::kVolumes;
    bool on = false;
    std::chrono::minutes every{0};  // 0: only when asked
    bool running = false;           // on this server
    std::optional<DutyRun> last;
    std::optional<base::Time> next_at;  // absent: not by itself
};

class CleaningService {
  public:
    // All references outlive this.
    CleaningService(asio::any_io_executor executor, base::Clock& clock, store::Store& store,
                    runtime::Runtime& runtime, runtime::VolumeFiles& files, DockerVolumeService& volumes,
                    RouteBook& routes, const model::Catalogue& catalogue, model::CleaningSettings settings);

    // Follows the schedules from now on.
    void start();
    Task<> stop();

    // All duties that are on. Images are fetched after the answer, and only where the schedules are followed.
    // `by`: as in DutyRun. An engine that does not answer is a problem of the duties that need it. Throws
    // kConflict "cleaning_in_progress" when somebody else's goes on for longer than half a minute.
    Task<CleaningReport> clean(bool dry_run, std::string by);
    Task<std::vector<DutyState>> states();
    Task<std::vector<ImageState>> images() { return images_.states(); }
    const model::CleaningSettings& settings() const { return settings_; }

  private:
    class Turn;
    Task<> run();
    Task<> round();
    Task<> fetch(std::string by);
    Task<model::DutyReport> carry_out(model::Duty duty, bool dry_run);
    Task<std::vector<model::CleaningItem>> items_of(model::Duty duty, bool dry_run);
    // Notes that this server does it now; false when another one does, or did when it was not due.
    Task<bool> claim(model::Duty duty, std::string by, base::Time now, bool only_if_due);
    Task<> note(model::Duty duty, std::string by, base::Time started_at, const model::DutyReport& report);
    bool is_due(model::Duty duty, const std::optional<DutyRun>& last, base::Time now) const;
    bool goes_on(store::Transaction& tx, model::Duty duty, const std::optional<DutyRun>& last,
                 base::Time now) const;
    // Claims, does and notes. Nothing when it is not to be done here and now.
    Task<std::optional<model::DutyReport>> do_duty(model::Duty duty, std::string by, bool only_if_due);

    base::Clock& clock_;
    store::Store& store_;
    DockerVolumeService& volumes_;
    const model::CleaningSettings settings_;
    CleaningDuties duties_;
    ImageKeeper images_;
    bool started_ = false;
    bool fetching_ = false;
    bool busy_ = false;
    base::Signal ended_;
    std::array<bool, model::kDuties.size()> done_once_{};  // since this server began
    std::optional<model::Duty> running_;
    base::Scope scope_;
};

}  // namespace agentdb9::services
