"""The schedulers of diffusers that are not checked, and why."""

_CATEGORIES = "out of scope: it samples categories, not continuous data"

OUTSIDE = {
    "AmusedScheduler": _CATEGORIES,
    "BlockRefinementScheduler": _CATEGORIES,
    "DiscreteDDIMScheduler": _CATEGORIES,
    "EntropyBoundScheduler": _CATEGORIES,
    "VQDiffusionScheduler": _CATEGORIES,
    "CMStochasticIterativeScheduler": "not read yet",
    "DDPMWuerstchenScheduler": "not read yet: its levels are computed from the time, and listed nowhere",
    "HeliosDMDScheduler": "not read: the caller gives the levels and the noise of every step",
    "HeliosScheduler": "not read yet: its levels belong to a stage of resolution, which the caller chooses",
    "LTXEulerAncestralRFScheduler": "not read yet",
    "PiflowScheduler": "not read: a step integrates a policy that the network gives, in many inner steps",
    "RFD4ProteinaScheduler": "not read: it moves the coordinates of atoms, each at a level of its own",
    "RePaintScheduler": "not read yet: a step takes a known image and a mask too",
    "SASolverScheduler": "not read yet",
    "SCMScheduler": "not read yet: its data have a deviation of their own",
    "UnCLIPScheduler": "not read yet: its tables of beta and of alpha agree to the rounding of float32 only",
}
