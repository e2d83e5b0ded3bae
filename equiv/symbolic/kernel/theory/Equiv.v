(* What the exported proofs use: signs, products that are not zero, and the atoms to which roots, powers,
   exponentials and angles are brought.

   A proof names what to rewrite by what; nothing of that is trusted, each step is checked here. *)

Require Export Reals Lra.
From Equiv Require Import Enclosure.
Open Scope R_scope.

(* --- signs --------------------------------------------------------------------------------------- *)

Ltac positive :=
  lazymatch goal with
  | |- 0 < _ * _ => apply Rmult_lt_0_compat; positive
  | |- 0 < _ / _ => apply Rdiv_lt_0_compat; positive
  | |- 0 < / _ => apply Rinv_0_lt_compat; positive
  | |- 0 < _ ^ _ => apply pow_lt; positive
  | |- 0 < sqrt _ => apply sqrt_lt_R0; positive
  | |- 0 < exp _ => apply exp_pos
  | |- 0 < Rpower _ _ => apply exp_pos
  | |- 0 < PI => exact PI_RGT_0
  | |- 0 < PI - 3 => enclose
  | |- 0 < 4 - PI => enclose
  | |- 0 < IZR _ => lra
  | |- 0 < _ + _ => first [apply Rplus_lt_0_compat; positive | assumption | lra]
  | |- 0 < ?x => first [assumption | lra]
  end.

Lemma squares_positive a b : ~ (a = 0 /\ b = 0) -> 0 < a ^ 2 + b ^ 2.
Proof.
  intros H. destruct (Req_dec a 0), (Req_dec b 0); try (exfalso; tauto).
  all: try assert (0 < a * a) by (apply Rsqr_pos_lt; trivial).
  all: try assert (0 < b * b) by (apply Rsqr_pos_lt; trivial). all: nra.
Qed.

Lemma angle_positive a b c s : 0 < a -> 0 < b -> c ^ 2 = 1 - s ^ 2 -> 0 < a * c ^ 2 + b * s ^ 2.
Proof.
  intros A B E. pose proof (pow2_ge_0 c) as C. pose proof (pow2_ge_0 s) as S.
  destruct (Rle_or_lt (s ^ 2) 0) as [Z | P].
  - assert (s ^ 2 = 0) as Z0 by lra. rewrite Z0 in *. rewrite E. lra.
  - pose proof (Rmult_lt_0_compat _ _ B P). pose proof (Rmult_le_pos _ _ (Rlt_le _ _ A) C). lra.
Qed.

Ltac squares := apply squares_positive; intros [-> ->];
  match goal with H : ?e <> 0 |- _ => apply H; field end.

(* --- logarithms of products ---------------------------------------------------------------------- *)

Lemma ln_quotient a b : 0 < a -> 0 < b -> ln (a / b) = ln a - ln b.
Proof.
  intros. assert (0 < / b) by (apply Rinv_0_lt_compat; trivial).
  unfold Rdiv. rewrite ln_mult, ln_Rinv by trivial. ring.
Qed.

Lemma ln_power a n : 0 < a -> ln (a ^ n) = INR n * ln a.
Proof.
  intros P. induction n; [simpl; rewrite ln_1; ring |].
  assert (0 < a ^ n) by (apply pow_lt, P).
  change (a ^ S n) with (a * a ^ n). rewrite ln_mult, IHn, S_INR by trivial. ring.
Qed.

Ltac ln_split :=
  repeat match goal with
  | |- context [ln 1] => rewrite ln_1
  | |- context [ln (?a * ?b)] => rewrite (ln_mult a b) by positive
  | |- context [ln (?a / ?b)] => rewrite (ln_quotient a b) by positive
  | |- context [ln (?a ^ ?n)] => rewrite (ln_power a n) by positive; cbn [INR]
  end.

(* from 0 < a - b to ln b < ln a, and back *)
Lemma ln_less a b : 0 < b -> 0 < a - b -> ln b < ln a.
Proof. intros. apply ln_increasing; lra. Qed.

Lemma above_one a : 0 < a -> 0 < ln a -> 0 < a - 1.
Proof. intros P L. assert (1 < a) by (apply ln_lt_inv; [lra | exact P | rewrite ln_1; exact L]). lra. Qed.

Lemma below_one a : 0 < a -> 0 < - ln a -> 0 < 1 - a.
Proof. intros P L. assert (a < 1) by (apply ln_lt_inv; [exact P | lra | rewrite ln_1; lra]). lra. Qed.

Lemma less_of_ln a b : 0 < a -> 0 < b -> ln b < ln a -> 0 < a - b.
Proof. intros. assert (b < a) by (apply ln_lt_inv; trivial). lra. Qed.

Ltac logarithms_known :=
  repeat match goal with
  | H : 0 < ?a - ?b |- _ =>
      lazymatch goal with K : ln b < ln a |- _ => fail | _ => idtac end;
      assert (ln b < ln a) by (apply ln_less; [positive | exact H])
  end;
  repeat match goal with
  | H : _ < _ |- _ => progress (repeat match type of H with
      | context [ln 1] => rewrite ln_1 in H
      | context [ln (?a * ?b)] => rewrite (ln_mult a b) in H by positive
      | context [ln (?a / ?b)] => rewrite (ln_quotient a b) in H by positive
      | context [ln (?a ^ ?n)] => rewrite (ln_power a n) in H by positive; cbn [INR] in H
      end)
  end.

Ltac by_logarithm :=
  logarithms_known;
  first
    [ assumption
    | lra
    | apply less_of_ln; [positive | positive |]; ln_split;
      repeat match goal with H : ln _ = _ |- _ => rewrite H end;
      first [lra | nra] ].

Ltac sign := first [positive | enclose | lra | nra | squares | by_logarithm].

Ltac nonnegative :=
  match goal with
  | |- 0 <= _ => left; solve [positive]
  | |- 0 <= _ * _ => apply Rmult_le_pos; nonnegative
  | |- 0 <= _ ^ _ => apply pow_le; nonnegative
  | |- 0 <= _ / _ => apply Rmult_le_pos; [nonnegative | left; apply Rinv_0_lt_compat; positive]
  | |- 0 <= _ => first [assumption | lra | nra]
  end.

Ltac negative :=
  match goal with |- ?x < 0 => apply Ropp_lt_cancel; rewrite Ropp_0;
    first [assumption | sign | ring_simplify; positive] end.

(* --- what is not zero ----------------------------------------------------------------------------- *)

Lemma quotient_nonzero a b : a <> 0 -> b <> 0 -> a / b <> 0.
Proof. intros. unfold Rdiv. apply Rmult_integral_contrapositive_currified; trivial. apply Rinv_neq_0_compat; trivial. Qed.

Lemma positive_nonzero a : 0 < a -> a <> 0.
Proof. lra. Qed.

Lemma nonzero_like a b : a <> 0 -> b = a -> b <> 0.
Proof. intros H ->. exact H. Qed.

Lemma nonzero_unlike a b : a <> 0 -> b = - a -> b <> 0.
Proof. intros H -> Z. apply H. lra. Qed.

Lemma circle_nonzero r c s : c ^ 2 = 1 - s ^ 2 -> r <> 0 -> (r * c) ^ 2 + (r * s) ^ 2 <> 0.
Proof.
  intros E N. replace ((r * c) ^ 2 + (r * s) ^ 2) with (r ^ 2 * (c ^ 2 + s ^ 2)) by ring.
  rewrite E. replace (1 - s ^ 2 + s ^ 2) with 1 by ring. rewrite Rmult_1_r. apply pow_nonzero, N.
Qed.

Ltac nonzero :=
  lazymatch goal with
  | |- _ /\ _ => split; nonzero
  | |- True => exact I
  | |- _ * _ <> 0 => apply Rmult_integral_contrapositive_currified; nonzero
  | |- _ / _ <> 0 => apply quotient_nonzero; nonzero
  | |- _ ^ _ <> 0 => apply pow_nonzero; nonzero
  | |- - _ <> 0 => apply Ropp_neq_0_compat; nonzero
  | |- _ <> 0 =>
      first [ assumption
            | match goal with E : ?c ^ 2 = 1 - ?s ^ 2 |- (?r * ?c) ^ 2 + (?r * ?s) ^ 2 <> 0 =>
                apply (circle_nonzero r c s E); nonzero end
            | apply positive_nonzero; positive
            | match goal with H : ?a <> 0 |- ?b <> 0 => apply (nonzero_like a b H); ring end
            | match goal with H : 0 < ?a |- ?b <> 0 => apply (nonzero_like a b (positive_nonzero _ H)); ring end
            | match goal with H : ?a <> 0 |- ?b <> 0 => apply (nonzero_unlike a b H); ring end
            | match goal with H : 0 < ?a |- ?b <> 0 => apply (nonzero_unlike a b (positive_nonzero _ H)); ring end
            | apply positive_nonzero; sign | apply Rlt_not_eq; negative
            | match goal with E : _ ^ 2 = 1 - _ ^ 2 |- ?a <> 0 =>
                progress ring_simplify [E] a; first [assumption | apply positive_nonzero; sign] end ]
  end.

(* a fraction of known sign, whose other factor is known too *)
Lemma positive_is a b : a = b -> 0 < b -> 0 < a.
Proof. intros ->. trivial. Qed.

Lemma nonnegative_is a b : a = b -> 0 <= b -> 0 <= a.
Proof. intros ->. trivial. Qed.

Lemma nonzero_is a b : a = b -> b <> 0 -> a <> 0.
Proof. intros ->. trivial. Qed.

Lemma nonzero_factor d f g : d <> 0 -> d = f * g -> f <> 0.
Proof. intros H -> Z. apply H. rewrite Z. ring. Qed.

Lemma positive_factor d f g : 0 < d -> f = d * g -> 0 < g -> 0 < f.
Proof. intros P -> G. apply Rmult_lt_0_compat; trivial. Qed.

Lemma difference_positive a b : a < b -> 0 < b - a.
Proof. lra. Qed.

Lemma difference_nonzero a b : a <> b -> a - b <> 0.
Proof. lra. Qed.

(* --- atoms ---------------------------------------------------------------------------------------- *)

Lemma root_atom n a : n <> O -> 0 < a -> exists r, 0 < r /\ r ^ n = a /\ ln r = ln a / INR n.
Proof.
  intros N P. exists (exp (ln a / INR n)). repeat split; [apply exp_pos | | apply ln_exp].
  rewrite <- (exp_ln (exp (ln a / INR n) ^ n)) by (apply pow_lt, exp_pos).
  rewrite ln_power, ln_exp by apply exp_pos. replace (INR n * (ln a / INR n)) with (ln a).
  - apply exp_ln, P.
  - field. apply not_0_INR, N.
Qed.

Lemma size_atom a : exists r, 0 <= r /\ r ^ 2 = a ^ 2.
Proof. exists (Rabs a). split; [apply Rabs_pos | apply pow2_abs]. Qed.

Lemma size_is a v : 0 <= v -> a * a = v * v -> Rabs a = v.
Proof.
  intros P E. rewrite <- (Rabs_pos_eq v P). apply Rsqr_eq_abs_0. exact E.
Qed.

Lemma exp_atom a : exists g, 0 < g /\ ln g = a.
Proof. exists (exp a). split; [apply exp_pos | apply ln_exp]. Qed.

Lemma angle_atom a : exists c s, c ^ 2 = 1 - s ^ 2 /\ c ^ 2 + s ^ 2 <> 0 /\ cos a = c /\ sin a = s.
Proof.
  exists (cos a), (sin a). pose proof (sin2_cos2 a) as H. unfold Rsqr in H. repeat split; trivial; lra.
Qed.

(* parts of pi, by the positive root of 2 or 3 *)
Lemma root_unique r n : 0 < r -> r ^ 2 = n -> sqrt n = r.
Proof. intros P <-. simpl. rewrite Rmult_1_r. apply sqrt_square. lra. Qed.

Lemma cos_part_3 r : 0 < r -> r ^ 2 = 3 -> cos (PI / 3) = 1 / 2.
Proof. intros _ _. apply cos_PI3. Qed.

Lemma sin_part_3 r : 0 < r -> r ^ 2 = 3 -> sin (PI / 3) = r / 2.
Proof. intros P S. rewrite sin_PI3, (root_unique r 3 P S). reflexivity. Qed.

Lemma cos_part_4 r : 0 < r -> r ^ 2 = 2 -> cos (PI / 4) = r / 2.
Proof. intros P S. rewrite cos_PI4, (root_unique r 2 P S). rewrite <- S. field. lra. Qed.

Lemma sin_part_4 r : 0 < r -> r ^ 2 = 2 -> sin (PI / 4) = r / 2.
Proof. intros P S. rewrite sin_PI4, (root_unique r 2 P S). rewrite <- S. field. lra. Qed.

Lemma cos_part_6 r : 0 < r -> r ^ 2 = 3 -> cos (PI / 6) = r / 2.
Proof. intros P S. rewrite cos_PI6, (root_unique r 3 P S). reflexivity. Qed.

Lemma sin_part_6 r : 0 < r -> r ^ 2 = 3 -> sin (PI / 6) = 1 / 2.
Proof. intros _ _. apply sin_PI6. Qed.

Lemma root_is a v : 0 <= v -> a = v * v -> sqrt a = v.
Proof. intros P ->. apply sqrt_square, P. Qed.

Lemma exp_is a v : 0 < v -> a = ln v -> exp a = v.
Proof. intros P ->. apply exp_ln, P. Qed.

Lemma power_is a b v : 0 < v -> b * ln a = ln v -> Rpower a b = v.
Proof. apply exp_is. Qed.

Lemma ln_is a b v : a = b -> ln b = v -> ln a = v.
Proof. intros ->. trivial. Qed.

Lemma cos_is a b v : a = b -> cos b = v -> cos a = v.
Proof. intros ->. trivial. Qed.

Lemma sin_is a b v : a = b -> sin b = v -> sin a = v.
Proof. intros ->. trivial. Qed.

Lemma max_is a b : Rmax a b = (a + b + Rabs (a - b)) / 2.
Proof. unfold Rmax, Rabs. destruct (Rle_dec a b), (Rcase_abs (a - b)); lra. Qed.

Lemma min_is a b : Rmin a b = (a + b - Rabs (a - b)) / 2.
Proof. unfold Rmin, Rabs. destruct (Rle_dec a b), (Rcase_abs (a - b)); lra. Qed.

Ltac split_angle :=
  repeat (rewrite cos_plus || rewrite sin_plus || rewrite cos_neg || rewrite sin_neg || rewrite cos_0
    || rewrite sin_0 || rewrite cos_PI || rewrite sin_PI || rewrite cos_PI2 || rewrite sin_PI2).
