(* Derivatives, for the exported proofs: a rule for each function, and what holds around a point.

   A rule gives a derivative in the form in which a proof names it; [derive] only chooses the rule. What a
   rule asks for is known by then: it is what must hold for the expression or its derivative to be defined. *)

Require Export Reals Lra.
From Coquelicot Require Export Hierarchy Derive.
From Coquelicot Require Import Continuity.
Open Scope R_scope.

Section Rules.

Variables (f g : R -> R) (x a b c : R).

Lemma d_const : is_derive (fun _ => c) x 0.
Proof. apply is_derive_Reals, derivable_pt_lim_const. Qed.

Lemma d_same : is_derive (fun y => y) x 1.
Proof. apply is_derive_Reals, derivable_pt_lim_id. Qed.

Hypotheses (F : is_derive f x a) (G : is_derive g x b).

Lemma d_equal d : a = d -> is_derive f x d.
Proof. intros <-. exact F. Qed.

Lemma d_opp : is_derive (fun y => - f y) x (- a).
Proof. apply is_derive_Reals, derivable_pt_lim_opp, is_derive_Reals, F. Qed.

Lemma d_plus : is_derive (fun y => f y + g y) x (a + b).
Proof. apply is_derive_Reals, derivable_pt_lim_plus; apply is_derive_Reals; trivial. Qed.

Lemma d_minus : is_derive (fun y => f y - g y) x (a - b).
Proof. apply is_derive_Reals, derivable_pt_lim_minus; apply is_derive_Reals; trivial. Qed.

Lemma d_mult : is_derive (fun y => f y * g y) x (a * g x + f x * b).
Proof. apply is_derive_Reals, derivable_pt_lim_mult; apply is_derive_Reals; trivial. Qed.

Lemma d_div : g x <> 0 -> is_derive (fun y => f y / g y) x ((a * g x - f x * b) / g x ^ 2).
Proof.
  intros N. apply is_derive_Reals.
  replace ((a * g x - f x * b) / g x ^ 2) with ((a * g x - b * f x) / Rsqr (g x)) by (unfold Rsqr; field; trivial).
  apply derivable_pt_lim_div; trivial; apply is_derive_Reals; trivial.
Qed.

Lemma d_outer h l : is_derive h (f x) l -> is_derive (fun y => h (f y)) x (l * a).
Proof. intros H. apply is_derive_Reals, (derivable_pt_lim_comp f h); apply is_derive_Reals; trivial. Qed.

Lemma d_exp : is_derive (fun y => exp (f y)) x (exp (f x) * a).
Proof. apply d_outer, is_derive_Reals, derivable_pt_lim_exp. Qed.

Lemma d_ln : 0 < f x -> is_derive (fun y => ln (f y)) x (a / f x).
Proof.
  intros P. unfold Rdiv. rewrite Rmult_comm. apply d_outer, is_derive_Reals, derivable_pt_lim_ln, P.
Qed.

(* a root is steep at zero *)
Lemma d_sqrt : 2 * sqrt (f x) <> 0 -> is_derive (fun y => sqrt (f y)) x (a / (2 * sqrt (f x))).
Proof.
  intros N. unfold Rdiv. rewrite Rmult_comm. apply d_outer, is_derive_Reals, derivable_pt_lim_sqrt.
  destruct (Rlt_or_le 0 (f x)) as [P | P]; trivial. exfalso. apply N. rewrite sqrt_neg_0 by exact P. ring.
Qed.

Lemma d_sin : is_derive (fun y => sin (f y)) x (cos (f x) * a).
Proof. apply d_outer, is_derive_Reals, derivable_pt_lim_sin. Qed.

Lemma d_cos : is_derive (fun y => cos (f y)) x (- (sin (f x) * a)).
Proof.
  replace (- (sin (f x) * a)) with (- sin (f x) * a) by ring. apply d_outer, is_derive_Reals, derivable_pt_lim_cos.
Qed.

Lemma d_sinh : is_derive (fun y => sinh (f y)) x (cosh (f x) * a).
Proof. apply d_outer, is_derive_Reals, derivable_pt_lim_sinh. Qed.

Lemma d_cosh : is_derive (fun y => cosh (f y)) x (sinh (f x) * a).
Proof. apply d_outer, is_derive_Reals, derivable_pt_lim_cosh. Qed.

End Rules.

Lemma d_pow (f : R -> R) (x a : R) n m k : is_derive f x a -> n = S m -> k = INR n ->
  is_derive (fun y => f y ^ n) x (k * f x ^ m * a).
Proof.
  intros F -> ->. replace (INR (S m) * f x ^ m * a) with (INR (S m) * a * f x ^ pred (S m)) by (simpl pred; ring).
  apply is_derive_pow, F.
Qed.

Lemma d_tan (f : R -> R) (x a : R) : is_derive f x a -> cos (f x) <> 0 -> is_derive (fun y => tan (f y)) x (a / cos (f x) ^ 2).
Proof.
  intros F N. unfold tan.
  apply (d_equal _ _ _ (d_div _ _ _ _ _ (d_sin f x a F) (d_cos f x a F) N)).
  replace (cos (f x) * a * cos (f x) - sin (f x) * - (sin (f x) * a)) with (a * (Rsqr (sin (f x)) + Rsqr (cos (f x))))
    by (unfold Rsqr; ring).
  rewrite sin2_cos2, Rmult_1_r. reflexivity.
Qed.

Lemma cosh_positive x : 0 < cosh x.
Proof. unfold cosh. pose proof (exp_pos x). pose proof (exp_pos (- x)). lra. Qed.

Lemma d_tanh (f : R -> R) (x a : R) : is_derive f x a -> is_derive (fun y => tanh (f y)) x (a / cosh (f x) ^ 2).
Proof.
  intros F. assert (N : cosh (f x) <> 0) by (pose proof (cosh_positive (f x)); lra). unfold tanh.
  apply (d_equal _ _ _ (d_div _ _ _ _ _ (d_sinh f x a F) (d_cosh f x a F) N)).
  assert (E : cosh (f x) ^ 2 - sinh (f x) ^ 2 = 1).
  { unfold cosh, sinh. assert (exp (f x) * exp (- f x) = 1) by (rewrite <- exp_plus, Rplus_opp_r; apply exp_0).
    nra. }
  replace (cosh (f x) * a * cosh (f x) - sinh (f x) * (sinh (f x) * a))
    with (a * (cosh (f x) ^ 2 - sinh (f x) ^ 2)) by ring.
  rewrite E, Rmult_1_r. reflexivity.
Qed.

Lemma d_power (f g : R -> R) (x a b : R) : is_derive f x a -> is_derive g x b -> 0 < f x ->
  is_derive (fun y => Rpower (f y) (g y)) x (Rpower (f x) (g x) * (b * ln (f x) + g x * (a / f x))).
Proof. intros F G P. 
  unfold Rpower. apply (d_exp (fun y => g y * ln (f y))), (d_mult g (fun y => ln (f y))); [exact G |].
  apply (d_ln f); trivial.
Qed.

(* a function of which nothing is known but that it has derivatives *)
Lemma d_function (h : R -> R) n (f : R -> R) (x a : R) : (forall y, ex_derive_n h (S n) y) -> is_derive f x a ->
  is_derive (fun y => Derive_n h n (f y)) x (Derive_n h (S n) (f x) * a).
Proof. intros E F. apply d_outer; [exact F |]. apply Derive_correct, (E (f x)). Qed.

(* --- what does not depend on the variable -------------------------------------------------------------- *)

Section Constants.

Variables (x c : R).

Lemma d_plus_const (f : R -> R) (a : R) : is_derive f x a -> is_derive (fun y => f y + c) x a.
Proof. intros F. apply (d_equal _ _ (a + 0)); [apply (d_plus f (fun _ => c)); [exact F | apply d_const] | ring]. Qed.

Lemma d_const_plus (f : R -> R) (a : R) : is_derive f x a -> is_derive (fun y => c + f y) x a.
Proof. intros F. apply (d_equal _ _ (0 + a)); [apply (d_plus (fun _ => c) f); [apply d_const | exact F] | ring]. Qed.

Lemma d_minus_const (f : R -> R) (a : R) : is_derive f x a -> is_derive (fun y => f y - c) x a.
Proof. intros F. apply (d_equal _ _ (a - 0)); [apply (d_minus f (fun _ => c)); [exact F | apply d_const] | ring]. Qed.

Lemma d_const_minus (f : R -> R) (a : R) : is_derive f x a -> is_derive (fun y => c - f y) x (- a).
Proof. intros F. apply (d_equal _ _ (0 - a)); [apply (d_minus (fun _ => c) f); [apply d_const | exact F] | ring]. Qed.

Lemma d_mult_const (f : R -> R) (a : R) : is_derive f x a -> is_derive (fun y => f y * c) x (a * c).
Proof. intros F. apply (d_equal _ _ (a * c + f x * 0)); [apply (d_mult f (fun _ => c)); [exact F | apply d_const] | ring]. Qed.

Lemma d_const_mult (f : R -> R) (a : R) : is_derive f x a -> is_derive (fun y => c * f y) x (c * a).
Proof. intros F. apply (d_equal _ _ (0 * f x + c * a)); [apply (d_mult (fun _ => c) f); [apply d_const | exact F] | ring]. Qed.

Lemma d_div_const (f : R -> R) (a : R) : is_derive f x a -> is_derive (fun y => f y / c) x (a / c).
Proof.
  intros F. apply (d_equal _ _ (a * / c + f x * 0)); [| unfold Rdiv; ring].
  apply (d_mult f (fun _ => / c)); [exact F | apply d_const].
Qed.

Lemma d_const_div (f : R -> R) (a : R) : is_derive f x a -> f x <> 0 -> is_derive (fun y => c / f y) x (- (c * a) / f x ^ 2).
Proof.
  intros F N. apply (d_equal _ _ ((0 * f x - c * a) / f x ^ 2)).
  - apply (d_div (fun _ => c) f); [apply d_const | exact F | exact N].
  - f_equal. ring.
Qed.

Lemma d_power_const (f : R -> R) (a : R) : is_derive f x a -> 0 < f x -> is_derive (fun y => Rpower (f y) c) x (Rpower (f x) c * (c * (a / f x))).
Proof. intros F P. 
  unfold Rpower. apply (d_exp (fun y => c * ln (f y))), (d_const_mult (fun y => ln (f y))), (d_ln f); trivial.
Qed.

Lemma d_const_power (f : R -> R) (a : R) : is_derive f x a -> is_derive (fun y => Rpower c (f y)) x (Rpower c (f x) * (a * ln c)).
Proof.
  intros F. unfold Rpower. apply (d_exp (fun y => f y * ln c)), (d_equal _ _ (a * ln c + f x * 0)); [| ring].
  apply (d_mult f (fun _ => ln c)); [exact F | apply d_const].
Qed.

End Constants.

Ltac known := cbv beta; first [assumption | left; assumption].

Ltac binary f g left_const right_const general :=
  lazymatch g with
  | fun _ => ?c => right_const c
  | _ => lazymatch f with fun _ => ?c => left_const c | _ => general end
  end.

Ltac derive :=
  lazymatch goal with
  | |- is_derive (fun _ => ?c) _ _ => apply (d_const _ c)
  | |- is_derive (fun y => y) _ _ => apply d_same
  | |- is_derive (fun y => - @?f y) _ _ => apply (d_opp f); derive
  | |- is_derive (fun y => @?f y + @?g y) _ _ =>
      binary f g ltac:(fun c => apply (d_const_plus _ c g); derive) ltac:(fun c => apply (d_plus_const _ c f); derive)
        ltac:(apply (d_plus f g); derive)
  | |- is_derive (fun y => @?f y - @?g y) _ _ =>
      binary f g ltac:(fun c => apply (d_const_minus _ c g); derive) ltac:(fun c => apply (d_minus_const _ c f); derive)
        ltac:(apply (d_minus f g); derive)
  | |- is_derive (fun y => @?f y * @?g y) _ _ =>
      binary f g ltac:(fun c => apply (d_const_mult _ c g); derive) ltac:(fun c => apply (d_mult_const _ c f); derive)
        ltac:(apply (d_mult f g); derive)
  | |- is_derive (fun y => @?f y / @?g y) _ _ =>
      binary f g ltac:(fun c => apply (d_const_div _ c g); [derive | known])
        ltac:(fun c => apply (d_div_const _ c f); derive) ltac:(apply (d_div f g); [derive | derive | known])
  | |- is_derive (fun y => Rpower (@?f y) (@?g y)) _ _ =>
      binary f g ltac:(fun c => apply (d_const_power _ c g); derive)
        ltac:(fun c => apply (d_power_const _ c f); [derive | known]) ltac:(apply (d_power f g); [derive | derive | known])
  | |- is_derive (fun y => @?f y ^ ?n) _ (?k * _ ^ ?m * _) =>
      apply (d_pow f _ _ n m k); [derive | reflexivity | cbn [INR]; ring]
  | |- is_derive (fun y => exp (@?f y)) _ _ => apply (d_exp f); derive
  | |- is_derive (fun y => ln (@?f y)) _ _ => apply (d_ln f); [derive | known]
  | |- is_derive (fun y => sqrt (@?f y)) _ _ => apply (d_sqrt f); [derive | known]
  | |- is_derive (fun y => sin (@?f y)) _ _ => apply (d_sin f); derive
  | |- is_derive (fun y => cos (@?f y)) _ _ => apply (d_cos f); derive
  | |- is_derive (fun y => tan (@?f y)) _ _ => apply (d_tan f); [derive | known]
  | |- is_derive (fun y => sinh (@?f y)) _ _ => apply (d_sinh f); derive
  | |- is_derive (fun y => cosh (@?f y)) _ _ => apply (d_cosh f); derive
  | |- is_derive (fun y => tanh (@?f y)) _ _ => apply (d_tanh f); derive
  | |- is_derive (fun y => Derive_n ?h ?n (@?f y)) _ _ => apply (d_function h n f); [known | derive]
  | |- is_derive (fun y => Derive ?h (@?f y)) _ _ => apply (d_function h 1 f); [known | derive]
  | |- is_derive (fun y => ?h (@?f y)) _ _ => apply (d_function h 0 f); [known | derive]
  end.

(* --- around a point ------------------------------------------------------------------------------------- *)

Lemma near_positive (f : R -> R) (x a : R) : is_derive f x a -> 0 < f x -> locally x (fun y => 0 < f y).
Proof.
  intros F P. apply (ex_derive_continuous f x); [exists a; exact F |]. apply (open_gt 0), P.
Qed.

Lemma near_nonzero (f : R -> R) (x a : R) : is_derive f x a -> f x <> 0 -> locally x (fun y => f y <> 0).
Proof.
  intros F N. destruct (Rdichotomy _ _ N) as [L | L].
  - assert (P : 0 < - f x) by lra. generalize (near_positive _ _ _ (d_opp f x a F) P). apply filter_imp. intros y Y. lra.
  - generalize (near_positive _ _ _ F L). apply filter_imp. intros y Y. lra.
Qed.

(* the n-th derivative around x, one after the other *)
Definition around (f : R -> R) (n : nat) (x : R) (g : R -> R) := locally x (fun y => Derive_n f n y = g y).

Lemma around_first f x : around f 0 x f.
Proof. unfold around. apply filter_forall. reflexivity. Qed.

Lemma around_next (f : R -> R) n x (g h : R -> R) :
  around f n x g -> locally x (fun y => is_derive g y (h y)) -> around f (S n) x h.
Proof.
  intros A D. apply locally_locally in A. unfold around. generalize (filter_and _ _ A D). apply filter_imp.
  intros y [E G]. simpl. rewrite (Derive_ext_loc _ g y E). apply is_derive_unique, G.
Qed.

Lemma around_value (f : R -> R) n x (g : R -> R) (d : R) :
  around f n x g -> is_derive g x d -> ex_derive_n f (S n) x /\ Derive_n f (S n) x = d.
Proof.
  unfold around. intros A D. split; simpl.
  - apply (ex_derive_ext_loc g); [| exists d; exact D]. generalize A. apply filter_imp. intros y E. symmetry. exact E.
  - rewrite (Derive_ext_loc _ g x A). apply is_derive_unique, D.
Qed.

Ltac decompose_all := repeat match goal with H : _ /\ _ |- _ => destruct H end.

(* the root of what is divided by is not zero *)
Lemma below_root a : 2 * sqrt a <> 0 -> 0 < a.
Proof.
  intros N. destruct (Rlt_or_le 0 a) as [P | P]; trivial. exfalso. apply N. rewrite sqrt_neg_0 by exact P. ring.
Qed.

Ltac known_sign := cbv beta; first [assumption | apply below_root; assumption | lra].
