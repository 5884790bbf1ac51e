#include "services/type_availability.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

namespace agentdb9::services {
namespace {

constexpr std::chrono::seconds kEngineTime{5};
constexpr std::chrono::minutes kRegistryTime{10};
constexpr std::chrono::seconds kPatience{2};

}  // namespace

Task<std::set<std::string>> TypeAvailability::available() {
    if (!looked_at_ || clock_.steady_now() - *looked_at_ > kEngineTime) {
        co_await base::with_timeout(clock_, kPatience, look_at_engine());
        bool unknown = false;
        for (const auto& image : asking_)
            unknown = unknown || !images_[image].asked;
        if (unknown) co_await base::with_timeout(clock_, kPatience, wait_for_registries());
    }
    std::set<std::string> names;
    for (const auto& type : catalogue_.all()) {
        const auto found = images_.find(type.container_image);
        if (found != images_.end() && (found->second.on_engine || found->second.offered))
            names.insert(type.type);
    }
    co_return names;
}

Task<> TypeAvailability::look_at_engine() {
    try {
        for (const auto& type : catalogue_.all()) {
            const auto image = type.container_image;
            const bool on_engine = co_await runtime_.has_image(image);
            auto& known = images_[image];
            known.on_engine = on_engine;
            const bool stale = !known.asked || clock_.steady_now() - known.registry_asked_at > kRegistryTime;
            if (!on_engine && stale && asking_.insert(image).second)
                scope_.spawn("ask a registry", look_at_registry(image));
        }
        looked_at_ = clock_.steady_now();
    } catch (const base::Error& error) {
        log::debug("the engine does not tell which images it has", {{"reason", error.what()}});
    }
}

Task<> TypeAvailability::look_at_registry(std::string image) {
    bool offered = false;
    try {
        offered = co_await runtime_.can_pull(image);
    } catch (const base::Error& error) {
        log::debug("no registry tells of an image", {{"image", image}, {"reason", error.what()}});
    }
    images_[image] = {.on_engine = images_[image].on_engine,
                      .offered = offered,
                      .asked = true,
                      .registry_asked_at = clock_.steady_now()};
    asking_.erase(image);
}

Task<> TypeAvailability::wait_for_registries() {
    while (!asking_.empty())
        co_await clock_.sleep_for(std::chrono::milliseconds(20));
}

}  // namespace agentdb9::services
