"""One place changed in the source of a scheduler, and what that makes wrong."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from equiv.verdict import Verdict

PROVED, REFUTED, INCONCLUSIVE = Verdict.PROVED, Verdict.REFUTED, Verdict.INCONCLUSIVE
ALL_WRONG = (REFUTED, REFUTED)
RIGHT_ON_A_POINT = (REFUTED, PROVED)  # another member of the family of samplers that end where they should
UNDECIDED = (INCONCLUSIVE, INCONCLUSIVE)


class Mutant(NamedTuple):
    """``verdicts``: on step-equals-formula and on next-level-is-listed."""

    name: str
    old: str
    new: str
    verdicts: tuple[Verdict, Verdict]
    config: Mapping[str, str] = MappingProxyType({})


NOISY = {"eta": "1"}
CLIPPED = {"clip_sample": "True"}
IN_V, IN_X = {"prediction_type": "v_prediction"}, {"prediction_type": "sample"}

EPS_TO_X = "pred_original_sample = (sample - beta_prod_t ** (0.5) * model_output) / alpha_prod_t ** (0.5)"
V_TO_X = "pred_original_sample = (alpha_prod_t**0.5) * sample - (beta_prod_t**0.5) * model_output"
MOVE = "prev_sample = alpha_prod_t_prev ** (0.5) * pred_original_sample + pred_sample_direction"
STRIDE = "prev_timestep = timestep - self.config.num_train_timesteps // self.num_inference_steps"
DIRECTION = "(1 - alpha_prod_t_prev - std_dev_t**2) ** (0.5) * pred_epsilon"

DDIM = [
    Mutant("the noise added to get the data", EPS_TO_X, EPS_TO_X.replace("sample -", "sample +"), ALL_WRONG),
    Mutant("sigma for alpha", EPS_TO_X, EPS_TO_X.replace("/ alpha", "/ beta"), ALL_WRONG),
    Mutant("alpha squared", MOVE, MOVE.replace("alpha_prod_t_prev ** (0.5)", "alpha_prod_t_prev"), ALL_WRONG),
    Mutant("sigma without the root", DIRECTION, DIRECTION.replace(" ** (0.5)", ""), ALL_WRONG),
    Mutant("a double step", STRIDE, STRIDE.replace("timestep -", "timestep - 2 *"), ALL_WRONG),
    Mutant("one entry beside", STRIDE, f"{STRIDE} + 1", ALL_WRONG),
    Mutant("0.9999 for one", DIRECTION, DIRECTION.replace("1 -", "0.9999 -"), ALL_WRONG),
    Mutant("wrong at one step", MOVE, f"{MOVE} * (1.001 if timestep == 333 else 1)", ALL_WRONG),
    Mutant("an end that is not clean", "torch.tensor(1.0) if", "torch.tensor(0.99995) if", ALL_WRONG),
    Mutant("eta ignored", "std_dev_t = eta *", "std_dev_t = 0 *", RIGHT_ON_A_POINT, NOISY),
    Mutant(
        "half the variance",
        "variance = (beta_prod_t_prev",
        "variance = 0.5 * (beta_prod_t_prev",
        RIGHT_ON_A_POINT,
        NOISY,
    ),
    Mutant(
        "noise not scaled",
        "variance = std_dev_t * variance_noise",
        "variance = variance_noise",
        ALL_WRONG,
        NOISY,
    ),
    Mutant(
        "noise scaled by its variance",
        "= std_dev_t * variance_noise",
        "= std_dev_t**2 * variance_noise",
        ALL_WRONG,
        NOISY,
    ),
    Mutant(
        "no room left for the noise", DIRECTION, DIRECTION.replace(" - std_dev_t**2", ""), ALL_WRONG, NOISY
    ),
    Mutant(
        "clipped after the step",
        MOVE,
        f"{MOVE}\n        prev_sample = prev_sample.clamp(-1, 1)",
        ALL_WRONG,
        CLIPPED,
    ),
    Mutant(
        "clipped at two",
        "-self.config.clip_sample_range, self.config.clip_sample_range",
        "-2.0, 2.0",
        RIGHT_ON_A_POINT,
        CLIPPED,
    ),
    Mutant(
        "the noise taken from the clipped data",
        "if use_clipped_model_output:",
        "if True:",
        RIGHT_ON_A_POINT,
        CLIPPED,
    ),
    Mutant(
        "v converted at the next level",
        V_TO_X,
        V_TO_X.replace("alpha_prod_t**", "alpha_prod_t_prev**"),
        ALL_WRONG,
        IN_V,
    ),
    Mutant(
        "v with its sign turned",
        "model_output + (beta_prod_t**0.5) * sample",
        "model_output - (beta_prod_t**0.5) * sample",
        ALL_WRONG,
        IN_V,
    ),
    Mutant(
        "x_hat scaled by its variance",
        "pred_original_sample = model_output\n            pred_epsilon = (sample - alpha_prod_t ** (0.5)",
        "pred_original_sample = model_output\n            pred_epsilon = (sample - alpha_prod_t",
        ALL_WRONG,
        IN_X,
    ),
    # float32 rounds this constant to one, so that no run can show it
    Mutant(
        "a constant off by less than rounding",
        DIRECTION,
        DIRECTION.replace("1 -", "0.999999999 -"),
        UNDECIDED,
    ),
    # the root of zero, which rounding may make negative: no bound holds for what the library gives
    Mutant("no last step", "torch.tensor(1.0) if", "self.alphas_cumprod[0] if", UNDECIDED),
    Mutant(
        "all noise fresh",
        "(1 - alpha_prod_t / alpha_prod_t_prev)\n\n",
        "(1 - alpha_prod_t)\n\n",
        (INCONCLUSIVE, PROVED),  # a root of zero again; the mean goes to the right level
        NOISY,
    ),
    # the root of a negative number: the library gives no number
    Mutant(
        "the ratio turned",
        "variance = (beta_prod_t_prev / beta_prod_t)",
        "variance = (beta_prod_t / beta_prod_t_prev)",
        ALL_WRONG,
        NOISY,
    ),
]

LARGER = 'if variance_type == "fixed_small":\n            variance = variance'
DRAWN = "(self._get_variance(t, predicted_variance=predicted_variance) ** 0.5) * variance_noise"
KEPT = "current_alpha_t ** (0.5) * beta_prod_t_prev / beta_prod_t"

DDPM = [
    Mutant(
        "x_hat scaled at the wrong level",
        "= (alpha_prod_t_prev ** (0.5) *",
        "= (alpha_prod_t ** (0.5) *",
        ALL_WRONG,
    ),
    Mutant("too little of the state kept", KEPT, KEPT.replace("** (0.5) ", ""), ALL_WRONG),
    Mutant(
        "fixed_large for fixed_small", LARGER, LARGER.replace("= variance", "= current_beta_t"), ALL_WRONG
    ),
    Mutant("noise scaled by its variance", DRAWN, DRAWN.replace(" ** 0.5", ""), ALL_WRONG),
    Mutant(
        "variance of the wrong level",
        "variance = (1 - alpha_prod_t_prev) / (1 - alpha_prod_t)",
        "variance = (1 - alpha_prod_t) / (1 - alpha_prod_t)",
        ALL_WRONG,
    ),
    Mutant("a higher floor", "min=1e-20", "min=1e-4", ALL_WRONG, {"timestep_spacing": "trailing"}),
    Mutant("a stride of one", "prev_t = self.timesteps[index + 1]", "prev_t = timestep - 1", ALL_WRONG),
    Mutant("v with its sign turned", V_TO_X, V_TO_X.replace("sample -", "sample +"), ALL_WRONG, IN_V),
    Mutant("uniform noise", "variance_noise = randn_tensor(", "variance_noise = torch.rand(", UNDECIDED),
]

SCALED = "sample = sample / ((sigma**2 + 1) ** 0.5)"

EULER = [
    Mutant(
        "two levels on",
        "[self.step_index + 1] - sigma_hat",
        "[min(self.step_index + 2, len(self.sigmas) - 1)] - sigma_hat",
        ALL_WRONG,
    ),
    Mutant(
        "a slope of another gauge",
        "(sample - pred_original_sample) / sigma_hat",
        "(sample - pred_original_sample) / (sigma_hat**2 + 1) ** 0.5",
        ALL_WRONG,
    ),
    Mutant("backwards", "sample + derivative * dt", "sample - derivative * dt", ALL_WRONG),
    Mutant("1.0001 for one", "sigma * (gamma + 1)", "sigma * (gamma + 1.0001)", ALL_WRONG),
    Mutant(
        "the state scaled once too often in v",
        "(sample / (sigma**2 + 1))",
        "(sample / (sigma**2 + 1) ** 0.5)",
        ALL_WRONG,
        IN_V,
    ),
    Mutant(
        "x_hat in another gauge",
        "pred_original_sample = model_output\n",
        "pred_original_sample = model_output / (sigma**2 + 1) ** 0.5\n",
        ALL_WRONG,
        IN_X,
    ),
    # what the network answers is given here, whatever it is fed
    Mutant("the network fed too little", SCALED, SCALED.replace(" ** 0.5", ""), RIGHT_ON_A_POINT),
    Mutant("the network fed the raw state", SCALED, "pass", RIGHT_ON_A_POINT),
]

DOWN = "sigma_down = (sigma_to**2 - sigma_up**2) ** 0.5"

ANCESTRAL = [
    Mutant(
        "less noise, made up for",
        "(sigma_from**2 - sigma_to**2) / sigma_from**2",
        "(sigma_from**2 - sigma_to**2) / (sigma_from**2 + 1)",
        RIGHT_ON_A_POINT,
    ),
    Mutant("no room left for the noise", DOWN, "sigma_down = sigma_to", ALL_WRONG),
    Mutant("noise of the level itself", "noise * sigma_up", "noise * sigma_to", ALL_WRONG),
    Mutant("noise not scaled", "noise * sigma_up", "noise", ALL_WRONG),
    Mutant("up for down", "dt = sigma_down - sigma", "dt = sigma_up - sigma", ALL_WRONG),
    Mutant(
        "v with its sign turned",
        "(-sigma / (sigma**2 + 1) ** 0.5)",
        "(sigma / (sigma**2 + 1) ** 0.5)",
        ALL_WRONG,
        IN_V,
    ),
]

FLOW = [
    Mutant("backwards", "dt = sigma_next - sigma\n", "dt = sigma - sigma_next\n", ALL_WRONG),
    Mutant("1.0001 for one", "sample + dt * model_output", "sample + 1.0001 * dt * model_output", ALL_WRONG),
    Mutant(
        "two levels on",
        "self.sigmas[sigma_idx + 1]",
        "self.sigmas[min(sigma_idx + 2, len(self.sigmas) - 1)]",
        ALL_WRONG,
    ),
    Mutant("noise nobody asked for", "if self.config.stochastic_sampling:", "if True:", RIGHT_ON_A_POINT),
]

BLEND = "+ (alpha_t * ((torch.exp(-h) - 1.0) / h + 1.0)) * D1\n                - (alpha_t"
SECOND = "- 0.5 * (alpha_t * (torch.exp(-h) - 1.0)) * D1"
KEPT_OUTPUTS = "self.model_outputs[i] = self.model_outputs[i + 1]"
LAMBDA = "lambda_s1 = torch.log(alpha_s1) - torch.log(sigma_s1)\n\n        m0, m1 = model"
IN_SDE = {"algorithm_type": "sde-dpmsolver++"}
IN_THREE = {"solver_order": "3"}

DPM_MULTISTEP = [
    Mutant("the slope turned", SECOND, SECOND.replace("- 0.5", "+ 0.5"), RIGHT_ON_A_POINT),
    Mutant("the slope over the whole step", SECOND, SECOND.replace("0.5 *", ""), RIGHT_ON_A_POINT),
    Mutant("0.5001 for a half", SECOND, SECOND.replace("0.5", "0.5001"), RIGHT_ON_A_POINT),
    Mutant("nothing remembered", KEPT_OUTPUTS, "self.model_outputs[i] = model_output", RIGHT_ON_A_POINT),
    Mutant(
        "the tangent at half weight",
        BLEND,
        BLEND.replace("+ 1.0)) * D1", "+ 0.5)) * D1"),
        RIGHT_ON_A_POINT,
        IN_THREE,
    ),
    Mutant(
        "one level on",
        "self.sigmas[self.step_index - 2],",
        "self.sigmas[self.step_index - 1] * 2,",
        RIGHT_ON_A_POINT,
        IN_THREE,
    ),
    Mutant(
        "order 1 throughout",
        "if self.lower_order_nums < self.config.solver_order:",
        "if False:",
        RIGHT_ON_A_POINT,
    ),
    Mutant("the state scaled twice", "sigma_t = sigma * alpha_t", "sigma_t = sigma * alpha_t**2", ALL_WRONG),
]

TRAPEZOID = "derivative = (self.prev_derivative + derivative) / 2"

HEUN = [
    Mutant("the first slope alone", TRAPEZOID, "derivative = self.prev_derivative", RIGHT_ON_A_POINT),
    Mutant("the second slope alone", TRAPEZOID, "pass", RIGHT_ON_A_POINT),
    Mutant("weights that do not sum to one", TRAPEZOID, TRAPEZOID.replace("/ 2", "/ 2.001"), ALL_WRONG),
    Mutant("from the second state", "sample = self.sample\n", "pass\n", ALL_WRONG),
]

CORRECT = "D1_t = model_t - m0\n            x_t = x_t_ - alpha_t * B_h"
UNIPC = [
    Mutant("the correction turned", CORRECT, CORRECT.replace("- alpha_t", "+ alpha_t"), RIGHT_ON_A_POINT),
    Mutant("no correction", "use_corrector = (\n", "use_corrector = False and (\n", RIGHT_ON_A_POINT),
    Mutant(
        "the predicted state kept", "self.last_sample = sample", "self.last_sample = sample * 1.01", UNDECIDED
    ),
]

PLMS = [
    Mutant("58 for 59", "- 59 *", "- 58 *", ALL_WRONG),
    Mutant(
        "outputs exchanged",
        "(3 * self.ets[-1] - self.ets[-2]) / 2",
        "(3 * self.ets[-2] - self.ets[-1]) / 2",
        RIGHT_ON_A_POINT,
    ),
    Mutant(
        "the mean of the ends left out",
        "model_output = (model_output + self.ets[-1]) / 2",
        "model_output = self.ets[-1]",
        RIGHT_ON_A_POINT,
    ),
]

MIDPOINT = [
    Mutant("to the middle only", "dt = sigma_next - sigma_hat", "dt = sigma_interpol - sigma_hat", ALL_WRONG),
    Mutant(
        "a slope of the end",
        "(sample - pred_original_sample) / sigma_interpol",
        "(sample - pred_original_sample) / sigma_next",
        ALL_WRONG,
    ),
]

DIRECTION_OUT = "pred_sample_direction = (1 - alpha_prod_t_prev) ** (0.5) * pred_epsilon"

INVERSE = [
    Mutant(
        "the level of the state for that of the next",
        DIRECTION_OUT,
        DIRECTION_OUT.replace("_prev", ""),
        ALL_WRONG,
    ),
    Mutant(
        "two levels back",
        "            timestep - self.config.num_train_timesteps // self.num_inference_steps,",
        "            timestep - 2 * (self.config.num_train_timesteps // self.num_inference_steps),",
        ALL_WRONG,
    ),
]

ANCESTRAL_MIDPOINT = [
    Mutant(
        "no room left for the noise",
        "dt = sigma_down - sigma_hat",
        "dt = self.sigmas[self.step_index] - sigma_hat",
        ALL_WRONG,
    ),
    Mutant("noise of the level itself", "noise * sigma_up", "noise * sigma_down", ALL_WRONG),
    Mutant(
        "the slope of the start",
        "derivative = (sample - pred_original_sample) / sigma_interpol",
        "derivative = (sample - pred_original_sample) / sigma_hat",
        ALL_WRONG,
    ),
    # a table that does not follow from the levels listed is not read as if it did
    Mutant(
        "a table of too little noise",
        "sigmas_up = (sigmas_next**2",
        "sigmas_up = (0.9 * sigmas_next**2",
        (Verdict.UNSUPPORTED, Verdict.UNSUPPORTED),
    ),
]

DPM_SDE = [
    Mutant("no room left for the noise", "ancestral_t = t_fn(sigma_down)", "ancestral_t = t_next", ALL_WRONG),
    Mutant("noise not scaled", "* s_noise * sigma_up", "* s_noise", ALL_WRONG),
    Mutant(
        "a step of its own for the second half",
        "sample = self.sample\n\n            sigma_from",
        "pass\n\n            sigma_from",
        ALL_WRONG,
    ),
]

NOT_CLEAN = {"set_alpha_to_one": "False"}
COGVIDEOX = [
    Mutant("the slope turned", "mult3 = 1 + 1 / (2 * r)", "mult3 = 1 - 1 / (2 * r)", ALL_WRONG, NOT_CLEAN),
    Mutant("half the slope", "mult4 = 1 / (2 * r)", "mult4 = 1 / (4 * r)", ALL_WRONG, NOT_CLEAN),
    Mutant(
        "the older output in the place of the new one",
        "mult[2] * pred_original_sample - mult[3] * old_pred_original_sample",
        "mult[2] * old_pred_original_sample - mult[3] * pred_original_sample",
        RIGHT_ON_A_POINT,
        NOT_CLEAN,
    ),
    Mutant("noise of half the variance", "(1 - (-2 * h).exp())", "(1 - (-h).exp())", ALL_WRONG, NOT_CLEAN),
]

TCD = [
    Mutant("not as far", "torch.floor((1 - eta) *", "torch.floor((1 - eta / 2) *", RIGHT_ON_A_POINT),
    Mutant(
        "noise of another variance",
        "1 - alpha_prod_t_prev / alpha_prod_s\n",
        "1 - alpha_prod_t / alpha_prod_s\n",
        ALL_WRONG,
    ),
]

FLOW_LCM = [
    Mutant("noise of the level before", "sigma_next * noise", "sigma * noise", ALL_WRONG),
    Mutant(
        "x_hat at the next level",
        "sample - sigma * model_output",
        "sample - sigma_next * model_output",
        ALL_WRONG,
    ),
]

SCORE_VE = [
    Mutant(
        "half the drift",
        "drift = drift - diffusion**2 * model_output",
        "drift = drift - diffusion**2 * model_output / 2",
        RIGHT_ON_A_POINT,
    ),
    Mutant("noise of the level itself", "diffusion * noise", "sigma[0] * noise", ALL_WRONG),
]
