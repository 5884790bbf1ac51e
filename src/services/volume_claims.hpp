// Which volumes an instance is being started on. The engine shows an instance as running only once its start
// has gone through, which takes a moment in which two workspaces would both find the volume free. Control
// executor only.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/instance.hpp"

namespace agentdb9::services {

class VolumeClaims {
  public:
    // Held from before the look at who runs on the volumes until the start has gone through.
    class Claim {
      public:
        Claim() = default;
        Claim(Claim&& other) noexcept
            : claims_(std::exchange(other.claims_, nullptr)), volumes_(std::move(other.volumes_)) {}
        Claim& operator=(Claim&& other) noexcept {
            release();
            claims_ = std::exchange(other.claims_, nullptr);
            volumes_ = std::move(other.volumes_);
            return *this;
        }
        ~Claim() { release(); }
        void release() {
            if (auto* claims = std::exchange(claims_, nullptr)) {
                for (const auto& volume : volumes_)
                    claims->held_.erase(volume);
            }
        }
        explicit operator bool() const { return claims_ != nullptr; }

      private:
        friend class VolumeClaims;
        VolumeClaims* claims_ = nullptr;
        std::vector<std::string> volumes_;
    };

    // Empty when another holds one of them.
    Claim take(const std::vector<model::Mount>& mounts) {
        Claim claim;
        for (const auto& mount : mounts) {
            if (held_.contains(mount.volume)) return claim;
        }
        for (const auto& mount : mounts) {
            held_.insert(mount.volume);
            claim.volumes_.push_back(mount.volume);
        }
        claim.claims_ = this;
        return claim;
    }

  private:
    std::set<std::string> held_;
};

}  // namespace agentdb9::services
