#include "dispatch.hpp"

#include <cstring>

namespace labelwise {

extern const Kernels plain;
#if defined(LW_X86)
extern const Kernels avx2;
extern const Kernels avx512;
extern const Kernels avx512_vnni;
#endif

namespace {

struct Choice {
    const Kernels* kernels;
    bool is_there;
};

}  // namespace

const Kernels* kernels_for(const char* name) {
#if defined(LW_X86)
    __builtin_cpu_init();
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    const bool has_vnni = has_avx512 && __builtin_cpu_supports("avx512vnni");
    const Choice best_first[] = {{&avx512_vnni, has_vnni}, {&avx512, has_avx512}, {&avx2, has_avx2}, {&plain, true}};
#else
    const Choice best_first[] = {{&plain, true}};
#endif
    for (const Choice& choice : best_first) {
        const bool is_meant = *name == '\0' || std::strcmp(name, choice.kernels->name) == 0;
        if (choice.is_there && is_meant) return choice.kernels;
    }
    return nullptr;
}

}  // namespace labelwise
