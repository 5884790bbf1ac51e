#include <sched.h>

#include "modes.hpp"

namespace agentdb9::bench {

void spin() {
    const sched_param none{};
    ::sched_setscheduler(0, SCHED_IDLE, &none);
    for (;;) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#else
        asm volatile("" ::: "memory");
#endif
    }
}

}  // namespace agentdb9::bench
