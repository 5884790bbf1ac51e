#include "services/image_keeper.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/log.hpp"

namespace agentdb9::services {

using base::Error;
using model::CleaningItem;
using model::CleaningOutcome;
using store::Transaction;

namespace {

constexpr auto kPulledKey = "images.pulled";
constexpr int kToldPercent = 25;
constexpr std::chrono::seconds kLookLimit{2};

std::string text_of(const json::object& row, std::string_view name) {
    const auto* value = row.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// A type that is not configured any more may come back: what its workspaces were made with counts, too.
bool is_named_by_a_workspace(Transaction& tx, const std::string& image) {
    return std::ranges::any_of(tx.workspaces().all(), [&](const model::Workspace& row) {
        return text_of(row.config, "containerImage") == image;
    });
}

}  // namespace

std::vector<ImageKeeper::Pulled> ImageKeeper::read(Transaction& tx) {
    std::vector<Pulled> all;
    const auto text = tx.settings().get(kPulledKey);
    if (!text) return all;
    const auto rows = base::parse_json_or(*text, json::array());
    if (!rows.is_array()) return all;
    for (const auto& each : rows.get_array()) {
        if (!each.is_object()) continue;
        const auto& row = each.get_object();
        const auto at = base::parse_time(text_of(row, "at"));
        if (!at) continue;
        all.push_back(
            {text_of(row, "image"), text_of(row, "id"), *at, base::parse_time(text_of(row, "unnamedSince"))});
    }
    return all;
}

void ImageKeeper::write(Transaction& tx, const std::vector<Pulled>& all) {
    json::array rows;
    for (const auto& each : all) {
        rows.push_back(json::object{
            {"image", each.image},
            {"id", each.id},
            {"at", base::format_time(each.at)},
            {"unnamedSince", each.unnamed_since ? json::value(base::format_time(*each.unnamed_since))
                                                : json::value(nullptr)}});
    }
    tx.settings().set(kPulledKey, base::to_text(rows));
}

std::map<std::string, std::vector<std::string>> ImageKeeper::wanted() const {
    std::map<std::string, std::vector<std::string>> images;
    for (const auto& type : catalogue_.all())
        images[type.container_image].push_back(type.type);
    return images;
}

Task<std::vector<CleaningItem>> ImageKeeper::prefetch(bool dry_run) {
    std::vector<CleaningItem> items;
    for (const auto& [image, types] : wanted()) {
        if (co_await runtime_.has_image(image)) {
            progress_[image].problem.clear();
            continue;
        }
        if (dry_run) {
            items.push_back(
                {.kind = "image",
                 .name = image,
                 .why = "The workspace type '" + types.front() + "' needs it, and it is not there.",
                 .since = {}});
        } else {
            items.push_back(co_await pull(image));
        }
    }
    co_return items;
}

Task<CleaningItem> ImageKeeper::pull(std::string image) {
    CleaningItem item{.kind = "image",
                      .name = image,
                      .outcome = CleaningOutcome::kDone,
                      .why = "A workspace type needs it, and it was not there.",
                      .since = clock_.now()};
    auto& progress = progress_[image];
    progress = {.pulling = true, .percent = {}, .problem = {}};
    log::info("an image is pulled before it is needed", {{"image", image}});
    int told = 0;
    std::exception_ptr cancelled;
    try {
        co_await runtime_.ensure_image(image, [&](const runtime::PullProgress& now) {
            progress.percent = now.percent;
            // Layers that turn up later make it go back.
            if (now.percent.value_or(0) < told + kToldPercent) return;
            told = *now.percent / kToldPercent * kToldPercent;
            log::info("an image is being pulled", {{"image", image}, {"percent", *now.percent}});
        });
        if (const auto id = co_await runtime_.image_id(image)) co_await note_pulled(image, *id);
        log::info("an image is there before it is needed", {{"image", image}});
    } catch (const Error& error) {
        item.outcome = CleaningOutcome::kFailed;
        item.why = error.message();
        progress.problem = error.message();
        log::warning("an image cannot be pulled before it is needed",
                     {{"image", image}, {"reason", error.what()}});
    } catch (...) {
        cancelled = std::current_exception();
    }
    progress.pulling = false;
    progress.percent.reset();
    if (cancelled) std::rethrow_exception(cancelled);
    co_return item;
}

Task<> ImageKeeper::note_pulled(std::string image, std::string id) {
    const auto now = clock_.now();
    co_await store_.write([=](Transaction& tx) {
        auto all = read(tx);
        std::erase_if(all, [&](const Pulled& each) { return each.image == image; });
        all.push_back({image, id, now, std::nullopt});
        write(tx, all);
    });
}

Task<> ImageKeeper::forget(std::string image, std::string id) {
    co_await store_.write([=](Transaction& tx) {
        auto all = read(tx);
        std::erase_if(all, [&](const Pulled& each) { return each.image == image && each.id == id; });
        write(tx, all);
    });
}

// With servers of several configurations on one database it is named as long as one of them names it: each
// that does takes the mark away again.
Task<std::vector<ImageKeeper::Pulled>> ImageKeeper::unnamed(bool dry_run) {
    const auto images = wanted();
    const auto now = clock_.now();
    const auto look = [images, now](Transaction& tx, bool note) {
        auto all = read(tx);
        bool changed = false;
        std::vector<Pulled> found;
        for (auto& each : all) {
            const bool named = images.contains(each.image) || is_named_by_a_workspace(tx, each.image);
            if (named == each.unnamed_since.has_value()) {
                each.unnamed_since = named ? std::nullopt : std::optional(now);
                changed = true;
            }
            if (!named) found.push_back(each);
        }
        if (note && changed) write(tx, all);
        return found;
    };
    if (dry_run) co_return co_await store_.read([look](Transaction& tx) { return look(tx, false); });
    co_return co_await store_.write([look](Transaction& tx) { return look(tx, true); });
}

Task<std::vector<CleaningItem>> ImageKeeper::prune(bool dry_run) {
    std::vector<CleaningItem> items;
    if (settings_.image_after.count() == 0) co_return items;
    for (auto& each : co_await unnamed(dry_run)) {
        auto item = co_await prune_one(std::move(each), dry_run);
        if (item) items.push_back(std::move(*item));
    }
    co_return items;
}

Task<std::optional<CleaningItem>> ImageKeeper::prune_one(Pulled image, bool dry_run) {
    CleaningItem item{.kind = "image",
                      .name = image.image,
                      .why = "No workspace type names it any more.",
                      .since = image.unnamed_since};
    const auto id = co_await runtime_.image_id(image.image);
    if (id != image.id) {
        // Somebody has pulled or built another one under that name, or removed it: it is theirs now.
        if (!dry_run) co_await forget(image.image, image.id);
        if (!id) co_return std::nullopt;
        item.outcome = CleaningOutcome::kKept;
        item.why = "It is another image by now, which this server did not pull.";
        co_return item;
    }
    if (clock_.now() - *image.unnamed_since < settings_.image_after) {
        item.outcome = CleaningOutcome::kKept;
        item.why = "No workspace type names it any more, but not for " +
                   std::to_string(settings_.image_after.count()) + " days yet.";
        co_return item;
    }
    for (const auto& instance : co_await runtime_.instances()) {
        if (instance.image != image.image && instance.image != image.id) continue;
        item.outcome = CleaningOutcome::kKept;
        item.why = "The container '" + instance.name + "' was made from it.";
        co_return item;
    }
    if (dry_run) co_return item;
    try {
        co_await runtime_.remove_image(image.image);
        co_await forget(image.image, image.id);
        item.outcome = CleaningOutcome::kDone;
        log::info("an image that no workspace type names is removed", {{"image", image.image}});
    } catch (const Error& error) {
        const bool used = error.word() == "image_in_use";
        item.outcome = used ? CleaningOutcome::kKept : CleaningOutcome::kFailed;
        item.why = error.message();
        if (!used) log::warning("an image stays", {{"image", image.image}, {"reason", error.what()}});
    }
    co_return item;
}

Task<std::vector<ImageState>> ImageKeeper::states() {
    const auto images = wanted();
    const auto pulled = co_await store_.read([](Transaction& tx) { return read(tx); });
    std::vector<ImageState> all;
    for (const auto& [image, types] : images)
        all.push_back({.image = image, .types = types, .problem = {}});
    for (const auto& each : pulled) {
        auto found = std::ranges::find(all, each.image, &ImageState::image);
        if (found == all.end())
            found = all.insert(all.end(), {.image = each.image, .types = {}, .problem = {}});
        found->pulled_at = each.at;
        found->unnamed_since = each.unnamed_since;
    }
    for (auto& each : all) {
        if (const auto known = progress_.find(each.image); known != progress_.end()) {
            each.pulling = known->second.pulling;
            each.percent = known->second.percent;
            each.problem = known->second.problem;
        }
        try {
            each.on_engine = co_await base::with_timeout(clock_, kLookLimit, runtime_.has_image(each.image));
        } catch (const Error& error) {
            log::debug("the engine does not tell which images it has", {{"reason", error.what()}});
            break;
        }
        if (!each.on_engine) break;
    }
    co_return all;
}

}  // namespace agentdb9::services
