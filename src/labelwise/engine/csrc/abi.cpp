// The C functions that labelwise.engine.native calls. Each gives 0, or why it failed.
#include <new>

#include "dispatch.hpp"
#include "encoder.hpp"

#if defined(_WIN32)
#define LW_EXPORT extern "C" __declspec(dllexport)
#else
#define LW_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace {

using namespace labelwise;

enum Outcome : int32_t { kDone = 0, kOutOfRange = 1, kOutOfMemory = 2, kFailed = 3 };

std::size_t size_of(int64_t value) { return static_cast<std::size_t>(value); }

template <class F>
int32_t guarded(F&& work) {
    try {
        return work() ? kDone : kOutOfRange;
    } catch (const std::bad_alloc&) {
        return kOutOfMemory;
    } catch (...) {
        return kFailed;
    }
}

}  // namespace

// Raised with every change of the functions below: a library of another version is not used.
LW_EXPORT int32_t lw_version() { return 2; }

// The instruction set that `wanted` names, or the best one; null when it is not there.
LW_EXPORT const char* lw_instruction_set(const char* wanted) {
    const Kernels* kernels = kernels_for(wanted);
    return kernels ? kernels->name : nullptr;
}

LW_EXPORT int32_t lw_encoder_new(const char* instruction_set, int64_t threads, const Shape* shape, int64_t num_heads,
                                 Encoder** made) {
    return guarded([&] {
        const Kernels* kernels = kernels_for(instruction_set);
        if (!kernels) return false;
        *made = new Encoder(*kernels, size_of(threads), *shape, size_of(num_heads));
        return true;
    });
}

LW_EXPORT void lw_encoder_free(Encoder* encoder) { delete encoder; }

LW_EXPORT int32_t lw_encoder_set_embeddings(Encoder* encoder, const Embeddings* embeddings) {
    return guarded([&] {
        encoder->set_embeddings(*embeddings);
        return true;
    });
}

LW_EXPORT int32_t lw_encoder_set_linear(Encoder* encoder, int64_t number, int64_t out, int64_t in,
                                        int32_t activation, const float* weight, const float* bias) {
    return guarded([&] {
        encoder->linear(size_of(number))
            .set(encoder->kernels(), size_of(out), size_of(in), static_cast<Activation>(activation), weight, bias);
        return true;
    });
}

LW_EXPORT int32_t lw_encoder_set_linear_s8(Encoder* encoder, int64_t number, int64_t out, int64_t in,
                                           int32_t activation, int64_t group, const int8_t* weight,
                                           const float* scales, const float* bias) {
    return guarded([&] {
        encoder->linear(size_of(number))
            .set(encoder->kernels(), size_of(out), size_of(in), static_cast<Activation>(activation), size_of(group),
                 weight, scales, bias);
        return true;
    });
}

LW_EXPORT int32_t lw_encoder_set_norm(Encoder* encoder, int64_t number, const float* weight, const float* bias) {
    return guarded([&] {
        Norm& norm = encoder->norm(size_of(number));
        norm.weight.fill(weight, encoder->hidden(), encoder->hidden());
        norm.bias.fill(bias, encoder->hidden(), encoder->hidden());
        return true;
    });
}

LW_EXPORT int32_t lw_encoder_set_table(Encoder* encoder, int64_t layer, int32_t which, const float* projected,
                                       const int64_t* row_of_column, int64_t reach) {
    return guarded([&] {
        encoder->set_table(size_of(layer), static_cast<TableName>(which), projected, row_of_column, size_of(reach));
        return true;
    });
}

LW_EXPORT int32_t lw_encoder_run(Encoder* encoder, const Batch* batch, float* out) {
    return guarded([&] { return encoder->run(*batch, out); });
}

LW_EXPORT int32_t lw_encoder_apply(Encoder* encoder, int64_t number, const float* x, int64_t rows, float* y) {
    return guarded([&] {
        encoder->apply(size_of(number), x, size_of(rows), y);
        return true;
    });
}
