(* Enclosures of real numbers by rational ones, computed and proved.

   [range t] encloses the value of a closed term, or is None where that is undefined: a division by an
   interval that meets zero, a root of one that is not above zero, a logarithm of one that meets zero.
   So two sides are told apart, and the hypotheses of a witness are checked, without Rocq's conventions
   for undefined values. *)

Require Import Reals Lra ZArith QArith Qreals Qminmax Qround Qabs Bool.
Open Scope R_scope.

Inductive term :=
| Int (z : Z) | Pi
| Neg (a : term) | Add (a b : term) | Sub (a b : term) | Mul (a b : term) | Div (a b : term)
| Raise (a : term) (n : nat)
| Root (a : term) | Exp (a : term) | Log (a : term) | Cosine (a : term) | Sine (a : term)
| Size (a : term) | Most (a b : term) | Least (a b : term).

Fixpoint value (t : term) : R :=
  match t with
  | Int z => IZR z | Pi => PI
  | Neg a => - value a | Add a b => value a + value b | Sub a b => value a - value b
  | Mul a b => value a * value b | Div a b => value a / value b
  | Raise a n => value a ^ n
  | Root a => sqrt (value a) | Exp a => exp (value a) | Log a => ln (value a)
  | Cosine a => cos (value a) | Sine a => sin (value a)
  | Size a => Rabs (value a) | Most a b => Rmax (value a) (value b) | Least a b => Rmin (value a) (value b)
  end.

Definition interval := (Q * Q)%type.
Definition holds (i : interval) (x : R) := Q2R (fst i) <= x <= Q2R (snd i).

(* --- rationals as reals ------------------------------------------------------------------------- *)

Definition below (a b : Q) : bool := negb (Qle_bool b a).

Lemma below_R a b : below a b = true -> Q2R a < Q2R b.
Proof.
  unfold below. intros H. apply negb_true_iff in H. apply Qlt_Rlt. apply Qnot_le_lt.
  intros L. apply Qle_bool_iff in L. congruence.
Qed.

Lemma le_R a b : Qle_bool a b = true -> Q2R a <= Q2R b.
Proof. intros H. apply Qle_Rle, Qle_bool_iff, H. Qed.

Lemma Q2R_red a : Q2R (Qred a) = Q2R a.
Proof. apply Qeq_eqR, Qred_correct. Qed.

Lemma Q2R_0 : Q2R 0 = 0.
Proof. unfold Q2R. simpl. lra. Qed.

Lemma Q2R_1 : Q2R 1 = 1.
Proof. unfold Q2R. simpl. lra. Qed.

Lemma Q2R_Z z : Q2R (inject_Z z) = IZR z.
Proof. unfold Q2R, inject_Z. simpl. lra. Qed.

Lemma Q2R_min a b : Q2R (Qmin a b) = Rmin (Q2R a) (Q2R b).
Proof.
  destruct (Q.min_spec a b) as [[L E] | [L E]]; rewrite (Qeq_eqR _ _ E).
  - rewrite Rmin_left; trivial. apply Qle_Rle, Qlt_le_weak, L.
  - rewrite Rmin_right; trivial. apply Qle_Rle, L.
Qed.

Lemma Q2R_max a b : Q2R (Qmax a b) = Rmax (Q2R a) (Q2R b).
Proof.
  destruct (Q.max_spec a b) as [[L E] | [L E]]; rewrite (Qeq_eqR _ _ E).
  - rewrite Rmax_right; trivial. apply Qle_Rle, Qlt_le_weak, L.
  - rewrite Rmax_left; trivial. apply Qle_Rle, L.
Qed.

Definition half (a : Q) : Q := (Qnum a # (2 * Qden a))%Q.

Lemma Q2R_half a : Q2R (half a) = Q2R a * (1 / 2).
Proof. unfold half, Q2R. cbn [Qnum Qden]. rewrite Pos2Z.inj_mul, mult_IZR. field. apply IZR_neq. discriminate. Qed.

Ltac rational := repeat (rewrite ?Q2R_red, ?Q2R_plus, ?Q2R_mult, ?Q2R_minus, ?Q2R_opp, ?Q2R_0, ?Q2R_1,
  ?Q2R_min, ?Q2R_max in * ).

(* --- rounding ----------------------------------------------------------------------------------- *)

Definition unit_ : positive := (2 ^ 48)%positive.
Definition places : Z := 48.
Definition down (a : Q) : Q :=
  let c := Z.shiftr (Qnum a) places # unit_ in  (* fast for the product of two rounded numbers *)
  if (Pos.eqb (Qden a) (unit_ * unit_) && Qle_bool c a)%bool then c
  else Qfloor (a * inject_Z (Z.pos unit_)) # unit_.
Definition up (a : Q) : Q := Qopp (down (Qopp a)).

Lemma down_le a : Q2R (down a) <= Q2R a.
Proof.
  unfold down. cbv zeta. destruct (_ && _)%bool eqn:E.
  - apply andb_prop in E. apply le_R, E.
  - apply Qle_Rle. pose proof (Qfloor_le (a * inject_Z (Z.pos unit_))) as H.
    set (n := Qfloor _) in *. clearbody n.
    setoid_replace (n # unit_)%Q with (inject_Z n / inject_Z (Z.pos unit_))%Q.
    + apply Qle_shift_div_r; trivial. reflexivity.
    + rewrite Qmake_Qdiv. reflexivity.
Qed.

Lemma up_ge a : Q2R a <= Q2R (up a).
Proof. unfold up. rational. pose proof (down_le (Qopp a)). rational. lra. Qed.

Definition outward (i : interval) : interval := (down (fst i), up (snd i)).

(* exact as long as that is cheap *)
Definition tidy (i : interval) : interval :=
  if (Z.pos (Qden (fst i)) <? 2 ^ 100)%Z && (Z.pos (Qden (snd i)) <? 2 ^ 100)%Z then i else outward i.

Lemma outward_holds i x : holds i x -> holds (outward i) x.
Proof. unfold holds, outward. simpl. pose proof (down_le (fst i)). pose proof (up_ge (snd i)). lra. Qed.

Lemma tidy_holds i x : holds i x -> holds (tidy i) x.
Proof. unfold tidy. destruct (_ && _)%bool; trivial. apply outward_holds. Qed.

(* --- arithmetic --------------------------------------------------------------------------------- *)

Definition neg (i : interval) : interval := (Qopp (snd i), Qopp (fst i)).
Definition add (i j : interval) : interval := tidy (fst i + fst j, snd i + snd j)%Q.
Definition least4 (a b c d : Q) : Q := Qmin (Qmin a b) (Qmin c d).
Definition most4 (a b c d : Q) : Q := Qmax (Qmax a b) (Qmax c d).
Definition mul (i j : interval) : interval :=
  if (Qle_bool 0 (fst i) && Qle_bool 0 (fst j))%bool then tidy (fst i * fst j, snd i * snd j)%Q else
  let ac := (fst i * fst j)%Q in let ad := (fst i * snd j)%Q in
  let bc := (snd i * fst j)%Q in let bd := (snd i * snd j)%Q in
  tidy (least4 ac ad bc bd, most4 ac ad bc bd).
Definition inverse (i : interval) : option interval :=
  if below 0 (fst i) || below (snd i) 0 then Some (/ snd i, / fst i)%Q else None.

Lemma neg_holds i x : holds i x -> holds (neg i) (- x).
Proof. unfold holds, neg; cbn [fst snd]. rational. lra. Qed.

Lemma add_holds i j x y : holds i x -> holds j y -> holds (add i j) (x + y).
Proof. intros X Y. apply tidy_holds. unfold holds in *; cbn [fst snd]. rational. lra. Qed.

Lemma least4_le (a b c d : R) :
  let m := Rmin (Rmin a b) (Rmin c d) in m <= a /\ m <= b /\ m <= c /\ m <= d.
Proof.
  intros m. unfold m. pose proof (Rmin_l (Rmin a b) (Rmin c d)). pose proof (Rmin_r (Rmin a b) (Rmin c d)).
  pose proof (Rmin_l a b). pose proof (Rmin_r a b). pose proof (Rmin_l c d). pose proof (Rmin_r c d). lra.
Qed.

Lemma most4_ge (a b c d : R) :
  let m := Rmax (Rmax a b) (Rmax c d) in a <= m /\ b <= m /\ c <= m /\ d <= m.
Proof.
  intros m. unfold m. pose proof (Rmax_l (Rmax a b) (Rmax c d)). pose proof (Rmax_r (Rmax a b) (Rmax c d)).
  pose proof (Rmax_l a b). pose proof (Rmax_r a b). pose proof (Rmax_l c d). pose proof (Rmax_r c d). lra.
Qed.

Lemma mul_holds i j x y : holds i x -> holds j y -> holds (mul i j) (x * y).
Proof.
  intros X Y. unfold mul. cbv zeta. destruct (_ && _)%bool eqn:P.
  { apply andb_prop in P. destruct P as [A B]. apply le_R in A, B. apply tidy_holds.
    unfold holds in *; cbn [fst snd]. rational. split; apply Rmult_le_compat; lra. }
  apply tidy_holds. revert X Y. unfold holds, least4, most4; cbn [fst snd]. rational.
  set (a := Q2R (fst i)). set (b := Q2R (snd i)). set (c := Q2R (fst j)). set (d := Q2R (snd j)).
  intros X Y. destruct (least4_le (a * c) (a * d) (b * c) (b * d)) as (L1 & L2 & L3 & L4).
  destruct (most4_ge (a * c) (a * d) (b * c) (b * d)) as (M1 & M2 & M3 & M4).
  assert (forall u, u * c <= u * y <= u * d \/ u * d <= u * y <= u * c) as B.
  { intros u. destruct (Rle_or_lt 0 u); [left | right]; split; nra. }
  assert (a * y <= x * y <= b * y \/ b * y <= x * y <= a * y) as A.
  { destruct (Rle_or_lt 0 y); [left | right]; split; nra. }
  destruct (B a), (B b), A; lra.
Qed.

Lemma inverse_holds i j x : holds i x -> inverse i = Some j -> x <> 0 /\ holds j (/ x).
Proof.
  unfold inverse. destruct (below 0 (fst i)) eqn:P; simpl.
  - apply below_R in P. rewrite Q2R_0 in P. intros [L U] E. injection E as <-. split; [lra |].
    unfold holds; cbn [fst snd]. rational. rewrite !Q2R_inv by (intros Z; apply Qeq_eqR in Z; rewrite Q2R_0 in Z; lra).
    split; apply Rinv_le_contravar; lra.
  - destruct (below (snd i) 0) eqn:N; [| discriminate]. apply below_R in N. rewrite Q2R_0 in N.
    intros [L U] E. injection E as <-. split; [lra |].
    unfold holds; cbn [fst snd]. rational. rewrite !Q2R_inv by (intros Z; apply Qeq_eqR in Z; rewrite Q2R_0 in Z; lra).
    assert (forall u v, u <= v -> v < 0 -> / v <= / u) as F.
    { intros u v H H0. assert (/ - u <= / - v) as K by (apply Rinv_le_contravar; lra).
      rewrite !Rinv_opp in K. lra. }
    split; apply F; lra.
Qed.

Fixpoint raise (i : interval) (n : nat) : interval :=
  match n with O => (1, 1)%Q | S m => mul i (raise i m) end.

Lemma raise_holds i x n : holds i x -> holds (raise i n) (x ^ n).
Proof.
  intros H. induction n; simpl.
  - unfold holds; cbn [fst snd]. rational. lra.
  - apply mul_holds; trivial.
Qed.

(* --- roots: a guess, checked by squaring --------------------------------------------------------- *)

Definition guess (a : Q) : Q :=
  let r := Z.sqrt (Qnum a) in let s := Z.sqrt (Z.pos (Qden a)) in
  if (Z.eqb (r * r) (Qnum a) && Z.eqb (s * s) (Z.pos (Qden a)))%bool then r # Z.to_pos s
  else Z.sqrt (if Pos.eqb (Qden a) unit_ then Z.shiftl (Qnum a) places
    else Z.shiftl (Qnum a) (2 * places) / Z.pos (Qden a)) # unit_.
Definition root_low (a : Q) : Q :=
  let g := guess a in if (Qle_bool 0 g && Qle_bool (g * g) a)%bool then g else 0%Q.
Definition root_high (a : Q) : Q :=
  let g := guess a in
  if (Qle_bool 0 g && Qle_bool a (g * g))%bool then g else
  let h := (g + (1 # unit_))%Q in if (Qle_bool 0 h && Qle_bool a (h * h))%bool then h else (a + 1)%Q.

Lemma root_low_R a : 0 <= Q2R a -> 0 <= Q2R (root_low a) /\ Q2R (root_low a) <= sqrt (Q2R a).
Proof.
  intros P. unfold root_low. destruct (_ && _)%bool eqn:E.
  - apply andb_prop in E. destruct E as [E F]. apply le_R in E, F. rational. split; trivial.
    rewrite <- (sqrt_Rsqr (Q2R (guess a))) by trivial. apply sqrt_le_1_alt. unfold Rsqr. lra.
  - rational. split; [lra | apply sqrt_pos].
Qed.

Lemma root_high_R a : 0 <= Q2R a -> sqrt (Q2R a) <= Q2R (root_high a).
Proof.
  intros P.
  assert (forall g, Qle_bool 0 g && Qle_bool a (g * g) = true -> sqrt (Q2R a) <= Q2R g) as K.
  { intros g E. apply andb_prop in E. destruct E as [E F]. apply le_R in E, F. rational.
    rewrite <- (sqrt_Rsqr (Q2R g)) by trivial. apply sqrt_le_1_alt. unfold Rsqr. lra. }
  unfold root_high. cbv zeta. set (g := guess a). set (h := (g + (1 # unit_))%Q).
  destruct (Qle_bool 0 g && Qle_bool a (g * g))%bool eqn:E; [apply K, E |].
  destruct (Qle_bool 0 h && Qle_bool a (h * h))%bool eqn:F; [apply K, F |].
  rational. rewrite <- (sqrt_Rsqr (Q2R a + 1)) by lra. apply sqrt_le_1_alt. unfold Rsqr. nra.
Qed.

Definition root (i : interval) : option interval :=
  if Qle_bool 0 (fst i) then Some (root_low (fst i), root_high (snd i)) else None.

Lemma root_holds i j x : holds i x -> root i = Some j -> 0 <= x /\ holds j (sqrt x).
Proof.
  unfold root. destruct (Qle_bool _ _) eqn:P; [| discriminate]. apply le_R in P. rational.
  intros [L U] E. injection E as <-. split; [lra |].
  destruct (root_low_R (fst i)) as [A B]; trivial. pose proof (root_high_R (snd i)) as C.
  unfold holds; cbn [fst snd]. split.
  - apply Rle_trans with (1 := B). apply sqrt_le_1_alt, L.
  - apply Rle_trans with (2 := C ltac:(lra)). apply sqrt_le_1_alt, U.
Qed.

(* --- the exponential: (1 + y)^n and (1 - y)^-n, squared over and over ----------------------------- *)

Definition halvings : nat := 22.
Definition doublings : nat := 10.
Opaque halvings doublings. (* the proofs hold for any number; vm_compute sees through *)

Fixpoint exp_low (k : nat) (a : Q) : Q :=
  match k with
  | O => Qmax 0 (1 + a)
  | S k => let r := exp_low k (half a) in Qmax 0 (down (r * r))
  end.

Lemma exp_half x : exp x = exp (x * (1 / 2)) * exp (x * (1 / 2)).
Proof. rewrite <- exp_plus. f_equal. field. Qed.


Lemma exp_low_R k : forall a, 0 <= Q2R (exp_low k a) <= exp (Q2R a).
Proof.
  induction k; intros a; simpl.
  - rational. pose proof (exp_ineq1_le (Q2R a)). pose proof (exp_pos (Q2R a)).
    split; [apply Rmax_l | apply Rmax_lub; lra].
  - specialize (IHk (half a)). rewrite Q2R_half in IHk. rewrite (exp_half (Q2R a)). set (r := exp_low k _) in *.
    pose proof (down_le (r * r)) as D. rational. pose proof (exp_pos (Q2R a * (1 / 2))).
    split; [apply Rmax_l | apply Rmax_lub; nra].
Qed.

(* exp a = / exp (-a), and the lower bound of the latter is above zero for all but huge arguments *)
Definition exp_high (a : Q) : option Q :=
  let r := exp_low halvings (- a) in if below 0 r then Some (up (/ r))%Q else None.

Lemma exp_high_R a b : exp_high a = Some b -> exp (Q2R a) <= Q2R b.
Proof.
  unfold exp_high. destruct (below _ _) eqn:P; [| discriminate]. intros E. injection E as <-.
  apply below_R in P. set (r := exp_low halvings (- a)) in *. assert (Q2R r <= exp (- Q2R a)) as H.
  { unfold r. pose proof (exp_low_R halvings (- a)). rational. lra. }
  apply Rle_trans with (2 := up_ge _). rational.
  rewrite Q2R_inv by (intros Z; apply Qeq_eqR in Z; rewrite Q2R_0 in Z; lra).
  rewrite <- (Ropp_involutive (Q2R a)), exp_Ropp. apply Rinv_le_contravar; trivial.
Qed.

Definition exponential (i : interval) : option interval :=
  if (Qeq_bool (fst i) 0 && Qeq_bool (snd i) 0)%bool then Some (1, 1)%Q else
  match exp_high (snd i) with Some h => Some (exp_low halvings (fst i), h) | None => None end.

Lemma exp_monotone x y : x <= y -> exp x <= exp y.
Proof. intros [H | ->]; [left; apply exp_increasing, H | lra]. Qed.

Lemma exponential_holds i j x : holds i x -> exponential i = Some j -> holds j (exp x).
Proof.
  unfold exponential. destruct (_ && _)%bool eqn:Z.
  { apply andb_prop in Z. destruct Z as [A B]. apply Qeq_bool_eq, Qeq_eqR in A, B. rational.
    intros [L U] E. injection E as <-. replace x with 0 by lra. rewrite exp_0. unfold holds, Q2R. simpl. lra. }
  destruct (exp_high (snd i)) eqn:E; [| discriminate]. intros [L U] F. injection F as <-.
  apply exp_high_R in E. pose proof (exp_low_R halvings (fst i)).
  apply exp_monotone in L, U. unfold holds; cbn [fst snd]. lra.
Qed.

(* --- the logarithm: 1 - 1/y <= ln y <= y - 1, after many roots ------------------------------------ *)

Fixpoint log_low (k : nat) (a : Q) : Q :=
  match k with
  | O => (1 - / a)%Q
  | S k => let r := root_low a in if below 0 r then (2 * log_low k r)%Q else (1 - / a)%Q
  end.
Fixpoint log_high (k : nat) (a : Q) : Q :=
  match k with O => (a - 1)%Q | S k => (2 * log_high k (root_high a))%Q end.

Lemma ln_above x : 0 < x -> ln x <= x - 1.
Proof. intros P. pose proof (exp_ineq1_le (ln x)) as H. rewrite exp_ln in H by trivial. lra. Qed.

Lemma ln_below x : 0 < x -> 1 - / x <= ln x.
Proof.
  intros P. assert (0 < / x) by (apply Rinv_0_lt_compat, P). pose proof (ln_above (/ x) ltac:(trivial)) as H'.
  rewrite ln_Rinv in H' by trivial. lra.
Qed.

Lemma ln_root x : 0 < x -> ln x = 2 * ln (sqrt x).
Proof.
  intros P. assert (0 < sqrt x) by (apply sqrt_lt_R0, P).
  rewrite <- (sqrt_sqrt x) at 1 by lra. rewrite ln_mult by trivial. ring.
Qed.

Lemma ln_monotone x y : 0 < x -> x <= y -> ln x <= ln y.
Proof. intros P [H | ->]; [left; apply ln_increasing; trivial | lra]. Qed.

Lemma log_low_R k : forall a, 0 < Q2R a -> Q2R (log_low k a) <= ln (Q2R a).
Proof.
  assert (forall a, 0 < Q2R a -> Q2R (1 - / a) <= ln (Q2R a)) as K.
  { intros a P. rational. rewrite Q2R_inv by (intros Z; apply Qeq_eqR in Z; rewrite Q2R_0 in Z; lra).
    apply ln_below, P. }
  induction k; intros a P; cbn [log_low]; cbv zeta; [apply K, P |]. destruct (below _ _) eqn:B; [| apply K, P].
  apply below_R in B. rewrite Q2R_0 in B. specialize (IHk _ B).
  destruct (root_low_R a) as [_ L]; [lra |]. rational. rewrite ln_root by trivial.
  pose proof (ln_monotone _ _ B L). replace (Q2R 2) with 2 by (unfold Q2R; simpl; lra). lra.
Qed.

Lemma log_high_R k : forall a, 0 < Q2R a -> ln (Q2R a) <= Q2R (log_high k a).
Proof.
  induction k; intros a P; cbn [log_high]; [rational; apply ln_above, P |].
  pose proof (root_high_R a ltac:(lra)) as H. pose proof (sqrt_lt_R0 _ P) as S.
  specialize (IHk (root_high a) ltac:(lra)). rational. rewrite ln_root by trivial.
  pose proof (ln_monotone _ _ S H). replace (Q2R 2) with 2 by (unfold Q2R; simpl; lra). lra.
Qed.

Definition logarithm (i : interval) : option interval :=
  if below 0 (fst i) then Some (outward (log_low halvings (fst i), log_high halvings (snd i))) else None.

Lemma logarithm_holds i j x : holds i x -> logarithm i = Some j -> 0 < x /\ holds j (ln x).
Proof.
  unfold logarithm. destruct (below _ _) eqn:B; [| discriminate]. apply below_R in B. rational.
  intros [L U] E. injection E as <-. split; [lra |]. apply outward_holds.
  pose proof (log_low_R halvings (fst i) B). pose proof (log_high_R halvings (snd i) ltac:(lra)).
  pose proof (ln_monotone _ _ B L). pose proof (ln_monotone x _ ltac:(lra) U). unfold holds; cbn [fst snd]. lra.
Qed.

(* --- the cosine: two terms of its series, doubled over and over ----------------------------------- *)

Definition cosine_series (a : Q) : interval :=
  if (Qle_bool (-2) a && Qle_bool a 2)%bool then
    let s := (a * a)%Q in ((1 - s * (1 # 2))%Q, (1 - s * (1 # 2) + s * s * (1 # 24))%Q)
  else ((-1)%Q, 1%Q).
Fixpoint cosine_at (k : nat) (a : Q) : interval :=
  match k with
  | O => cosine_series a
  | S k => let c := cosine_at k (half a) in outward (add (mul (2, 2)%Q (mul c c)) ((-1)%Q, (-1)%Q))
  end.

Lemma cosine_series_holds a : holds (cosine_series a) (cos (Q2R a)).
Proof.
  unfold cosine_series. destruct (_ && _)%bool eqn:E; unfold holds; cbn [fst snd].
  - apply andb_prop in E. destruct E as [E F]. apply le_R in E, F.
    assert (Q2R (-2) = -2) as E2 by (unfold Q2R; simpl; lra). assert (Q2R 2 = 2) as F2 by (unfold Q2R; simpl; lra).
    rewrite E2 in E. rewrite F2 in F. destruct (pre_cos_bound (Q2R a) 0 E F) as [L U].
    unfold cos_approx, cos_term in L, U. simpl in L, U. rational.
    replace (Q2R (1 # 2)) with (1 / 2) by (unfold Q2R; simpl; lra).
    replace (Q2R (1 # 24)) with (1 / 24) by (unfold Q2R; simpl; lra).
    set (x := Q2R a) in *. clearbody x. simpl in *. split; nra.
  - replace (Q2R (-1)) with (-1) by (unfold Q2R; simpl; lra). rewrite Q2R_1. apply COS_bound.
Qed.

Lemma cosine_at_holds k : forall a, holds (cosine_at k a) (cos (Q2R a)).
Proof.
  induction k; intros a; cbn [cosine_at]; cbv zeta; [apply cosine_series_holds |].
  specialize (IHk (half a)). rewrite Q2R_half in IHk. apply outward_holds.
  replace (cos (Q2R a)) with (2 * (cos (Q2R a * (1 / 2)) * cos (Q2R a * (1 / 2))) + -1).
  - apply add_holds; [apply mul_holds; [| apply mul_holds; trivial] |]; unfold holds, Q2R; simpl; lra.
  - replace (Q2R a) with (2 * (Q2R a * (1 / 2))) at 3 by field. rewrite cos_2a_cos. ring.
Qed.

Lemma sin_below_size x : Rabs (sin x) <= Rabs x.
Proof.
  assert (forall u, 0 <= u -> Rabs (sin u) <= u) as K.
  { intros u P. destruct (Rle_or_lt 1 u).
    - pose proof (SIN_bound u). apply Rle_trans with 1; trivial. apply Rabs_le. lra.
    - destruct (Req_dec u 0) as [-> | N]; [rewrite sin_0, Rabs_R0; lra |].
      pose proof PI2_1. rewrite Rabs_pos_eq; [left; apply sin_lt_x; lra | apply sin_ge_0; lra]. }
  destruct (Rle_or_lt 0 x).
  - rewrite (Rabs_pos_eq x) by trivial. apply K; trivial.
  - rewrite (Rabs_left x) by trivial. rewrite <- (Ropp_involutive x) at 1. rewrite sin_neg, Rabs_Ropp. apply K. lra.
Qed.

Lemma cos_lipschitz x y : Rabs (cos x - cos y) <= Rabs (x - y).
Proof.
  rewrite form2, !Rabs_mult. pose proof (sin_below_size ((x - y) / 2)) as H. pose proof (SIN_bound ((x + y) / 2)) as B.
  assert (Rabs (sin ((x + y) / 2)) <= 1) by (apply Rabs_le; lra).
  replace (Rabs (-2)) with 2 by (rewrite Rabs_left; lra).
  replace (Rabs (x - y)) with (2 * Rabs ((x - y) / 2) * 1).
  - apply Rmult_le_compat; try apply Rabs_pos; trivial; [| lra].
    pose proof (Rabs_pos (sin ((x - y) / 2))). lra.
  - unfold Rdiv. rewrite Rabs_mult, (Rabs_pos_eq (/ 2)) by lra. field.
Qed.

Definition cosine (i : interval) : interval :=
  let m := down (half (fst i + snd i)) in let r := Qmax (snd i - m) (m - fst i) in
  let c := cosine_at doublings m in tidy (fst c - r, snd c + r)%Q.

Lemma cosine_holds i x : holds i x -> holds (cosine i) (cos x).
Proof.
  intros [L U]. unfold cosine. set (m := down _). set (r := Qmax _ _).
  pose proof (cosine_at_holds doublings m) as [A B]. pose proof (cos_lipschitz x (Q2R m)) as H.
  assert (Rabs (x - Q2R m) <= Q2R r) as K.
  { unfold r. rational. pose proof (Rmax_l (Q2R (snd i) - Q2R m) (Q2R m - Q2R (fst i))).
    pose proof (Rmax_r (Q2R (snd i) - Q2R m) (Q2R m - Q2R (fst i))). apply Rabs_le. lra. }
  apply tidy_holds. apply Rle_trans with (2 := K) in H. set (c := cosine_at doublings m) in *. clearbody c.
  unfold holds; cbn [fst snd]. rational. unfold Rabs in H. destruct (Rcase_abs _) in H; lra.
Qed.

Definition pi : interval := ((3141592653589 # 1000000000000)%Q, (3141592653590 # 1000000000000)%Q).

Lemma pi_holds : holds pi PI.
Proof.
  pose proof (PI_2_3_7_ineq 7) as H. unfold PI_2_3_7_tg, tg_alt, Ratan_seq in H. simpl in H.
  unfold holds, pi, Q2R. simpl. lra.
Qed.

(* --- terms --------------------------------------------------------------------------------------- *)

Definition lift (f : interval -> option interval) (i : option interval) :=
  match i with Some i => f i | None => None end.
Definition lift2 (f : interval -> interval -> option interval) (i j : option interval) :=
  match i, j with Some i, Some j => f i j | _, _ => None end.
Definition divide (i j : interval) := match inverse j with Some k => Some (mul i k) | None => None end.
Definition size (i : interval) : interval :=
  if Qle_bool 0 (fst i) then i else if Qle_bool (snd i) 0 then neg i else (0%Q, Qmax (Qopp (fst i)) (snd i)).

Fixpoint range (t : term) : option interval :=
  match t with
  | Int z => Some (inject_Z z, inject_Z z)
  | Pi => Some pi
  | Neg a => lift (fun i => Some (neg i)) (range a)
  | Add a b => lift2 (fun i j => Some (add i j)) (range a) (range b)
  | Sub a b => lift2 (fun i j => Some (add i (neg j))) (range a) (range b)
  | Mul a b => lift2 (fun i j => Some (mul i j)) (range a) (range b)
  | Div a b => lift2 divide (range a) (range b)
  | Raise a n => lift (fun i => Some (raise i n)) (range a)
  | Root a => lift root (range a)
  | Exp a => lift exponential (range a)
  | Log a => lift logarithm (range a)
  | Cosine a => lift (fun i => Some (cosine i)) (range a)
  | Sine a => lift (fun i => Some (cosine (add (mul pi (1 # 2, 1 # 2)%Q) (neg i)))) (range a)
  | Size a => lift (fun i => Some (size i)) (range a)
  | Most a b => lift2 (fun i j => Some (Qmax (fst i) (fst j), Qmax (snd i) (snd j))) (range a) (range b)
  | Least a b => lift2 (fun i j => Some (Qmin (fst i) (fst j), Qmin (snd i) (snd j))) (range a) (range b)
  end.

Lemma size_holds i x : holds i x -> holds (size i) (Rabs x).
Proof.
  intros [L U]. unfold size. destruct (Qle_bool 0 (fst i)) eqn:P.
  - apply le_R in P. rational. rewrite Rabs_pos_eq by lra. split; trivial.
  - destruct (Qle_bool (snd i) 0) eqn:N.
    + apply le_R in N. rational. rewrite Rabs_left1 by lra. unfold holds, neg; cbn [fst snd]. rational. lra.
    + unfold holds; cbn [fst snd]. rational. split; [apply Rabs_pos |].
      pose proof (Rmax_l (- Q2R (fst i)) (Q2R (snd i))). pose proof (Rmax_r (- Q2R (fst i)) (Q2R (snd i))).
      apply Rabs_le. lra.
Qed.

Theorem range_holds t : forall i, range t = Some i -> holds i (value t).
Proof.
  induction t; simpl; intros i E;
    try (destruct (range t) eqn:?; simpl in E; [| discriminate]);
    try (destruct (range t1) eqn:?; simpl in E; [| discriminate]; destruct (range t2) eqn:?; simpl in E; [| discriminate]);
    try (injection E as <-).
  - unfold holds; cbn [fst snd]. rewrite Q2R_Z. lra.
  - apply pi_holds.
  - apply neg_holds; auto.
  - apply add_holds; auto.
  - unfold Rminus. apply add_holds; [| apply neg_holds]; auto.
  - apply mul_holds; auto.
  - unfold divide in E. destruct (inverse _) eqn:I; [| discriminate]. injection E as <-.
    unfold Rdiv. apply mul_holds; auto. eapply inverse_holds; eauto.
  - apply raise_holds; auto.
  - eapply root_holds; eauto.
  - eapply exponential_holds; eauto.
  - eapply logarithm_holds; eauto.
  - apply cosine_holds; auto.
  - rewrite <- cos_shift. apply cosine_holds. unfold Rminus. apply add_holds; [| apply neg_holds; auto].
    apply mul_holds; [apply pi_holds |]. unfold holds, Q2R. simpl. lra.
  - apply size_holds; auto.
  - specialize (IHt1 _ eq_refl). specialize (IHt2 _ eq_refl). unfold holds in *; cbn [fst snd]. rational.
    unfold Rmax. repeat destruct (Rle_dec _ _); lra.
  - specialize (IHt1 _ eq_refl). specialize (IHt2 _ eq_refl). unfold holds in *; cbn [fst snd]. rational.
    unfold Rmin. repeat destruct (Rle_dec _ _); lra.
Qed.

Definition surely_below (a b : term) : bool :=
  match range a, range b with Some i, Some j => below (snd i) (fst j) | _, _ => false end.

Theorem surely_below_R a b : surely_below a b = true -> value a < value b.
Proof.
  unfold surely_below. destruct (range a) eqn:A; [| discriminate]. destruct (range b) eqn:B; [| discriminate].
  intros H. apply below_R in H. apply range_holds in A, B. unfold holds in *. lra.
Qed.

Definition surely_at_most (a b : term) : bool :=
  match range a, range b with Some i, Some j => Qle_bool (snd i) (fst j) | _, _ => false end.

Theorem surely_at_most_R a b : surely_at_most a b = true -> value a <= value b.
Proof.
  unfold surely_at_most. destruct (range a) eqn:A; [| discriminate]. destruct (range b) eqn:B; [| discriminate].
  intros H. apply le_R in H. apply range_holds in A, B. unfold holds in *. lra.
Qed.

Definition surely_apart (a b : term) : bool :=
  match range a, range b with
  | Some i, Some j => below (snd i) (fst j) || below (snd j) (fst i) | _, _ => false
  end.

Theorem surely_apart_R a b : surely_apart a b = true -> value a <> value b.
Proof.
  unfold surely_apart. destruct (range a) eqn:A; [| discriminate]. destruct (range b) eqn:B; [| discriminate].
  intros H. apply range_holds in A, B. unfold holds in *.
  apply orb_prop in H. destruct H as [H | H]; apply below_R in H; lra.
Qed.

(* --- goals ---------------------------------------------------------------------------------------- *)

Ltac number n := match n with O => constr:(O) | S ?m => let m := number m in constr:(S m) end.

Ltac read e :=
  match e with
  | IZR ?z => constr:(Int z) | PI => constr:(Pi)
  | - ?a => let a := read a in constr:(Neg a)
  | ?a + ?b => let a := read a in let b := read b in constr:(Add a b)
  | ?a - ?b => let a := read a in let b := read b in constr:(Sub a b)
  | ?a * ?b => let a := read a in let b := read b in constr:(Mul a b)
  | ?a / ?b => let a := read a in let b := read b in constr:(Div a b)
  | ?a ^ ?n => let a := read a in constr:(Raise a n)
  | sqrt ?a => let a := read a in constr:(Root a)
  | Rpower ?a ?b => let a := read a in let b := read b in constr:(Exp (Mul b (Log a)))
  | exp ?a => let a := read a in constr:(Exp a)
  | ln ?a => let a := read a in constr:(Log a)
  | cos ?a => let a := read a in constr:(Cosine a)
  | sin ?a => let a := read a in constr:(Sine a)
  | tan ?a => let a := read a in constr:(Div (Sine a) (Cosine a))
  | cosh ?a => let a := read a in constr:(Div (Add (Exp a) (Exp (Neg a))) (Int 2))
  | sinh ?a => let a := read a in constr:(Div (Sub (Exp a) (Exp (Neg a))) (Int 2))
  | tanh ?a => let a := read a in
      constr:(Div (Div (Sub (Exp a) (Exp (Neg a))) (Int 2)) (Div (Add (Exp a) (Exp (Neg a))) (Int 2)))
  | Rabs ?a => let a := read a in constr:(Size a)
  | Rmax ?a ?b => let a := read a in let b := read b in constr:(Most a b)
  | Rmin ?a ?b => let a := read a in let b := read b in constr:(Least a b)
  end.

(* [a < b], [a <= b] or [a <> b] between numbers *)
Ltac enclose :=
  match goal with
  | |- ?a < ?b => let l := read a in let r := read b in
      change (value l < value r); apply surely_below_R; vm_cast_no_check (eq_refl true)
  | |- ?a <= ?b => let l := read a in let r := read b in
      change (value l <= value r); apply surely_at_most_R; vm_compute; reflexivity
  | |- ?a <> ?b => let l := read a in let r := read b in
      change (value l <> value r); apply surely_apart_R; vm_cast_no_check (eq_refl true)
  end.

Ltac witness := repeat split; first [assumption | enclose | lra | field].
