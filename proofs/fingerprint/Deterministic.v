(** * Samplers without noise: the same outputs, exactly if the same matrices *)

From Coq Require Import Reals Lra Lia Arith List FunctionalExtensionality Classical.
From Fingerprint Require Import Samplers Folding.
Import ListNotations.
Open Scope R_scope.

(** A class of networks that interpolates: one of them goes through any finitely many points that do not ask
    for two answers at one place. *)
Definition interpolates {Label Coordinate} (K : network Label Coordinate -> Prop) : Prop :=
  forall n (l : nat -> Label) (q y : nat -> state Coordinate),
    (forall i j, (i < n)%nat -> (j < n)%nat -> l i = l j -> q i = q j -> y i = y j) ->
    exists F, K F /\ forall i, (i < n)%nat -> F (l i) (q i) = y i.

(** ** Finitely many affine forms, none of them zero, have a point where none vanishes

    A form of (x_0, x_1, ...) is affine on the line through two points a and b. If all but one are nonzero
    at a, and that one is nonzero at b, each has at most one zero on the line. *)

Definition form := (nat -> R) -> R.
Definition affine (f : form) : Prop :=
  forall a b t, f (fun k => a k + t * (b k - a k)) = f a + t * (f b - f a).

Lemma minus_affine : forall f g : form, affine f -> affine g -> affine (fun x => f x - g x).
Proof. intros f g affine_f affine_g a b t. rewrite affine_f, affine_g. lra. Qed.

Lemma plus_affine : forall f g : form, affine f -> affine g -> affine (fun x => f x + g x).
Proof. intros f g affine_f affine_g a b t. rewrite affine_f, affine_g. lra. Qed.

Lemma combination_affine : forall n (a : nat -> R) r, affine (fun x => sum n (fun i => a i * x (r i))).
Proof. intros n a r x y t. induction n as [|n IH]; simpl; [|rewrite IH]; lra. Qed.

Lemma number_outside : forall l : list R, exists t, ~ In t l.
Proof.
  intros l. assert (bound : exists m, forall t, In t l -> t < m).
  { induction l as [|s l [m above]]; [exists 0; contradiction|].
    exists (Rmax (s + 1) m). intros t [<-|inside].
    - apply Rlt_le_trans with (s + 1); [lra|apply Rmax_l].
    - apply Rlt_le_trans with m; [auto|apply Rmax_r]. }
  destruct bound as [m above]. exists m. intros inside. specialize (above m inside). lra.
Qed.

Lemma generic : forall fs : list form, (forall f, In f fs -> affine f) ->
  exists x, forall f, In f fs -> (exists b, f b <> 0) -> f x <> 0.
Proof.
  induction fs as [|f fs IH]; intros affines; [exists (fun _ => 0); contradiction|].
  destruct IH as [a at_a]; [intros g inside; apply affines; right; assumption|].
  destruct (classic (f a = 0 /\ exists b, f b <> 0)) as [[zero [b at_b]]|easy].
  - destruct (number_outside (0 :: map (fun g : form => g a / (g a - g b)) fs)) as [t outside].
    exists (fun k => a k + t * (b k - a k)). intros g inside nonzero.
    rewrite (affines g inside).
    destruct inside as [<-|inside].
    + rewrite zero. intros vanishes. assert (t * f b = 0) as product by lra.
      apply Rmult_integral in product. destruct product; [|contradiction]. apply outside. left. auto.
    + specialize (at_a g inside nonzero). intros vanishes. apply outside. right.
      apply in_map_iff. exists g. split; [|assumption].
      assert (g a - g b <> 0) by (intros level; replace (g b - g a) with 0 in vanishes; lra).
      apply Rmult_eq_reg_r with (g a - g b); [|assumption]. field_simplify; [lra|assumption].
  - exists a. intros g [<-|inside] nonzero; [|auto]. intros zero. apply easy. auto.
Qed.

(** ** Planned runs

    Calls get names r; name u is to be answered by x_u zeta. Then call j is asked at (plan x j) zeta. *)

Definition plan {Label} (A : sampler Label) (r : nat -> nat) (x : nat -> R) (j : nat) : R :=
  start A j + sum (calls A) (fun i => weight A j i * x (r i)).

Lemma plan_affine : forall {Label} (A : sampler Label) r j, affine (fun x => plan A r x j).
Proof.
  intros Label A r j a b t. unfold plan.
  rewrite (combination_affine (calls A) (weight A j) r a b t). lra.
Qed.


(** A plan sees the names of earlier calls only. *)
Lemma plan_ext : forall {Label} (A : sampler Label) r r' x j,
  (forall i, (i < j)%nat -> (i < calls A)%nat -> r i = r' i) -> plan A r x j = plan A r' x j.
Proof.
  intros Label A r r' x j names. unfold plan. f_equal. apply sum_ext. intros i small.
  destruct (Nat.lt_ge_cases i j) as [before|after]; [rewrite names by assumption; reflexivity|].
  rewrite weight_upper by assumption. lra.
Qed.

Definition times {Coordinate} (a : R) (zeta : state Coordinate) : state Coordinate := fun k => a * zeta k.

Lemma times_injective : forall {Coordinate} (zeta : state Coordinate) a b,
  (exists k, zeta k <> 0) -> times a zeta = times b zeta -> a = b.
Proof.
  intros Coordinate zeta a b [k nonzero] same. apply Rmult_eq_reg_r with (zeta k); [|assumption].
  exact (f_equal (fun s => s k) same).
Qed.

Lemma as_planned : forall {Label Coordinate} (A : sampler Label) (F : network Label Coordinate) zeta r x,
  (forall i, (i < calls A)%nat -> F (label A i) (times (plan A r x i) zeta) = times (x (r i)) zeta) ->
  forall j, (j <= calls A)%nat -> query A F zeta silent j = times (plan A r x j) zeta.
Proof.
  intros Label Coordinate A F zeta r x answered j.
  induction j as [j IH] using (well_founded_induction lt_wf); intros small.
  rewrite query_of_all by assumption. extensionality k. unfold times, plan, silent.
  rewrite (sum_ext _ _ (fun i => zeta k * (weight A j i * x (r i)))).
  - rewrite sum_scal. lra.
  - intros i few. destruct (Req_dec (weight A j i) 0) as [->|nonzero]; [lra|].
    apply weight_lower in nonzero. rewrite IH, answered by (assumption || lia). unfold times. lra.
Qed.

(** ** Names

    Going forward, a call gets the name of an earlier one if their labels are the same and their plans are
    the same whatever the answers; else a new name. *)

Lemma new_name : forall (r : nat -> nat) n, exists m, forall i, (i < n)%nat -> (r i < m)%nat.
Proof.
  intros r n; induction n as [|n [m above]]; [exists O; lia|].
  exists (S (Nat.max m (r n))). intros i small.
  destruct (Nat.eq_dec i n) as [->|]; [lia|]. specialize (above i). lia.
Qed.

Lemma naming : forall {Label} (l : nat -> Label) (P : (nat -> nat) -> (nat -> R) -> nat -> R),
  (forall r r' x i, (forall k, (k < i)%nat -> r k = r' k) -> P r x i = P r' x i) ->
  forall n, exists r, forall i j, (i < n)%nat -> (j < n)%nat ->
    r i = r j <-> l i = l j /\ forall x, P r x i = P r x j.
Proof.
  intros Label l P sees n; induction n as [|n [r named]]; [exists (fun _ => O); lia|].
  assert (extend : exists v, forall i, (i < n)%nat -> r i = v <-> l i = l n /\ forall x, P r x i = P r x n).
  { destruct (classic (exists i, (i < n)%nat /\ l i = l n /\ forall x, P r x i = P r x n))
      as [[i [small [labels plans]]]|none].
    - exists (r i). intros j few. rewrite named by assumption. rewrite labels.
      split; intros [la pa]; split; trivial.
      + intros x. rewrite pa. apply plans.
      + intros x. rewrite pa. symmetry. apply plans.
    - destruct (new_name r n) as [v above]. exists v. intros i small. split.
      + intros taken. specialize (above i small). lia.
      + intros same. exfalso. apply none. exists i. auto. }
  destruct extend as [v last].
  exists (fun i => if (i =? n)%nat then v else r i).
  assert (unchanged : forall x i, (i <= n)%nat ->
    P (fun i => if (i =? n)%nat then v else r i) x i = P r x i).
  { intros x i small. apply sees. intros k few. destruct (Nat.eqb_spec k n); [lia|reflexivity]. }
  assert (plans : forall i j, (i <= n)%nat -> (j <= n)%nat ->
    (forall x, P (fun i => if (i =? n)%nat then v else r i) x i
      = P (fun i => if (i =? n)%nat then v else r i) x j)
    <-> (forall x, P r x i = P r x j)).
  { intros i j small_i small_j. split; intros equal x; specialize (equal x);
    rewrite !unchanged in * by assumption; assumption. }
  intros i j small_i small_j. rewrite plans by lia.
  destruct (Nat.eqb_spec i n) as [->|], (Nat.eqb_spec j n) as [->|].
  - tauto.
  - split; [intros names; symmetry in names; apply last in names; [|lia]
           |intros [labels equal]; symmetry; apply last; [lia|]];
      intuition (congruence || auto).
  - apply last. lia.
  - apply named; lia.
Qed.

(** ** Both samplers on one network

    The calls of A and then those of B are named together. *)

Section Both.
Context {Label Coordinate : Type}.
Variables (A B : sampler Label) (K : network Label Coordinate -> Prop) (zeta : state Coordinate).
Hypothesis through : interpolates K.
Hypothesis nonzero : exists k, zeta k <> 0.
Hypothesis equal : forall F, K F -> output A F zeta silent = output B F zeta silent.

Definition both_labels (i : nat) : Label :=
  if (i <? calls A)%nat then label A i else label B (i - calls A).
Definition both_plans (r : nat -> nat) (x : nat -> R) (i : nat) : R :=
  if (i <? calls A)%nat then plan A r x i else plan B (fun k => r (calls A + k)%nat) x (i - calls A).

Lemma both_plans_ext : forall r r' x i, (forall k, (k < i)%nat -> r k = r' k) ->
  both_plans r x i = both_plans r' x i.
Proof.
  intros r r' x i names. unfold both_plans.
  destruct (Nat.ltb_spec i (calls A)); apply plan_ext; intros; apply names; lia.
Qed.

(** If every network of K gives equal outputs, the plans of the outputs are equal for all answers x: else
    answer generically, so that calls with different names are asked differently, and the outputs differ. *)
Lemma outputs_planned_alike : forall r,
  (forall i j, (i < calls A + calls B)%nat -> (j < calls A + calls B)%nat ->
    r i = r j <-> both_labels i = both_labels j /\ forall x, both_plans r x i = both_plans r x j) ->
  forall x, plan A r x (calls A) = plan B (fun k => r (calls A + k)%nat) x (calls B).
Proof.
  intros r named y. set (n := (calls A + calls B)%nat) in *.
  set (difference := fun x => plan A r x (calls A) - plan B (fun k => r (calls A + k)%nat) x (calls B)).
  set (pair := fun (ij : nat * nat) x => both_plans r x (fst ij) - both_plans r x (snd ij)).
  destruct (generic (difference :: map pair (list_prod (seq 0 n) (seq 0 n)))) as [x avoids].
  { intros f [<-|inside]; [apply minus_affine; apply plan_affine|].
    apply in_map_iff in inside. destruct inside as [[i j] [<- _]]. unfold pair, both_plans. simpl.
    apply minus_affine; [destruct (i <? calls A)%nat|destruct (j <? calls A)%nat]; apply plan_affine. }
  destruct (through n both_labels (fun i => times (both_plans r x i) zeta) (fun i => times (x (r i)) zeta))
    as [F [member goes]].
  { intros i j small_i small_j labels places. apply times_injective in places; [|assumption].
    rewrite (proj2 (named i j small_i small_j)); [reflexivity|]. split; [assumption|].
    intros z. apply NNPP. intros differ. apply (avoids (pair (i, j))).
    - right. apply in_map. apply in_prod; apply in_seq; lia.
    - exists z. unfold pair. simpl. lra.
    - unfold pair. simpl. lra. }
  assert (run_A : output A F zeta silent = times (plan A r x (calls A)) zeta).
  { apply as_planned; [|lia]. intros i small. specialize (goes i). unfold both_labels, both_plans in goes.
    destruct (Nat.ltb_spec i (calls A)); [apply goes|]; lia. }
  assert (run_B : output B F zeta silent = times (plan B (fun k => r (calls A + k)%nat) x (calls B)) zeta).
  { apply as_planned; [|lia]. intros i small. specialize (goes (calls A + i)%nat).
    unfold both_labels, both_plans in goes. destruct (Nat.ltb_spec (calls A + i) (calls A)); [lia|].
    replace (calls A + i - calls A)%nat with i in goes by lia. apply goes. lia. }
  apply NNPP. intros differ.
  apply (avoids difference); [left; reflexivity|exists y; unfold difference; lra|].
  specialize (equal F member). rewrite run_A, run_B in equal.
  apply times_injective in equal; [|assumption]. unfold difference. lra.
Qed.

Definition named_alike (C D : sampler Label) (r s : nat -> nat) : Prop :=
  forall i j, (i < calls C)%nat -> (j < calls D)%nat -> r i = s j ->
    label C i = label D j /\ forall x, plan C r x i = plan D s x j.

Lemma joint_names : exists r s,
  named_alike A A r r /\ named_alike B B s s /\ named_alike A B r s /\
  forall x, plan A r x (calls A) = plan B s x (calls B).
Proof.
  destruct (naming both_labels both_plans both_plans_ext (calls A + calls B)) as [r named].
  exists r, (fun k => r (calls A + k)%nat).
  split; [|split; [|split; [|apply outputs_planned_alike; assumption]]];
    intros i j small_i small_j names.
  - specialize (named i j). unfold both_labels, both_plans in named.
    destruct (Nat.ltb_spec i (calls A)), (Nat.ltb_spec j (calls A)); try lia.
    apply named; lia || assumption.
  - specialize (named (calls A + i) (calls A + j))%nat. unfold both_labels, both_plans in named.
    destruct (Nat.ltb_spec (calls A + i) (calls A)), (Nat.ltb_spec (calls A + j) (calls A)); try lia.
    replace (calls A + i - calls A)%nat with i in named by lia.
    replace (calls A + j - calls A)%nat with j in named by lia. apply named; lia || assumption.
  - specialize (named i (calls A + j))%nat. unfold both_labels, both_plans in named.
    destruct (Nat.ltb_spec i (calls A)), (Nat.ltb_spec (calls A + j) (calls A)); try lia.
    replace (calls A + j - calls A)%nat with j in named by lia. apply named; lia || assumption.
Qed.
End Both.

(** ** Reading the matrices off the plans *)

Section Matrices.
Context {Label : Type}.

(** The answer 1 for one name, and 0 for the others. *)
Definition only (u v : nat) : R := if (v =? u)%nat then 1 else 0.

Lemma plan_start : forall (A : sampler Label) r j, plan A r (fun _ => 0) j = start A j.
Proof. intros A r j. unfold plan. rewrite sum_zero; intros; lra. Qed.

(** With names that are each used once, the answer 1 for one of them shows one entry. *)
Lemma plan_entry : forall (A : sampler Label) r j i n, (i < calls A)%nat -> (i < n)%nat -> (j <= n)%nat ->
  (forall k, (k < calls A)%nat -> (k < n)%nat -> r k = r i -> k = i) ->
  plan A r (only (r i)) j = start A j + weight A j i.
Proof.
  intros A r j i n small before late once. unfold plan. f_equal. rewrite (sum_only _ _ i small).
  - unfold only. rewrite Nat.eqb_refl. lra.
  - intros k few other. unfold only. destruct (Nat.eqb_spec (r k) (r i)) as [names|]; [|lra].
    rewrite weight_upper; [lra|]. destruct (Nat.lt_ge_cases k n); [|lia].
    exfalso. apply other. apply once; assumption.
Qed.

(** In a reduced sampler no two calls have one name. *)
Lemma names_used_once : forall (A : sampler Label) r, reduced A -> named_alike A A r r ->
  forall n i j, (i < n)%nat -> (j < n)%nat -> (i < calls A)%nat -> (j < calls A)%nat -> r i = r j -> i = j.
Proof.
  intros A r [_ distinct] alike n; induction n as [|n IH]; intros i j in_i in_j small_i small_j names;
    [lia|].
  destruct (alike i j small_i small_j names) as [labels plans].
  apply distinct; [assumption|assumption|]. split; [assumption|].
  assert (starts : start A i = start A j).
  { specialize (plans (fun _ => 0)). rewrite !plan_start in plans. assumption. }
  split; [assumption|]. intros k small.
  destruct (Nat.lt_ge_cases k n) as [before|after]; [|rewrite !weight_upper by lia; reflexivity].
  specialize (plans (only (r k))). rewrite !(plan_entry _ _ _ _ n) in plans; try lia; [lra| |];
    intros u few early; apply IH; lia.
Qed.

(** Going back from the output, every call of A has the name of a call of B. *)
Lemma partners : forall (A B : sampler Label) r s, reduced A ->
  named_alike A A r r -> named_alike A B r s ->
  (forall x, plan A r x (calls A) = plan B s x (calls B)) ->
  forall j, leads A j ->
    (exists j', forall x, plan A r x j = plan B s x j') /\
    ((j < calls A)%nat -> exists j', (j' < calls B)%nat /\ r j = s j').
Proof.
  intros A B r s minimal own cross outputs j path.
  induction path as [|j i path [[j' rows] _] entry]; [split; [exists (calls B); assumption|lia]|].
  assert (small : (i < calls A)%nat).
  { apply leads_small in path. apply weight_lower in entry. lia. }
  assert (found : exists i', (i' < calls B)%nat /\ r i = s i').
  { apply NNPP. intros none. apply entry.
    assert (start A j = start B j').
    { specialize (rows (fun _ => 0)). rewrite !plan_start in rows. assumption. }
    specialize (rows (only (r i))).
    rewrite (plan_entry _ _ _ _ (S (j + calls A))) in rows; try lia.
    2: { intros k few _ names. eapply (names_used_once A r minimal own (calls A)); eassumption. }
    unfold plan in rows. rewrite sum_zero in rows; [lra|].
    intros k few. unfold only. destruct (Nat.eqb_spec (s k) (r i)) as [names|]; [|lra].
    exfalso. apply none. exists k. auto. }
  destruct found as [i' [few names]]. split; [exists i'; apply (cross i i'); assumption|].
  intros _. exists i'. auto.
Qed.

(** Choosing finitely often. *)
Lemma choose : forall (n : nat) (P : nat -> nat -> Prop), (forall i, (i < n)%nat -> exists j, P i j) ->
  forall last, exists p, (forall i, (i < n)%nat -> P i (p i)) /\ p n = last.
Proof.
  induction n as [|n IH]; intros P some last; [exists (fun _ => last); split; [lia|reflexivity]|].
  destruct (some n) as [v here]; [lia|].
  destruct (IH P) with (last := v) as [p [all at_n]]; [intros i small; apply some; lia|].
  exists (fun i => if (i =? S n)%nat then last else p i). rewrite Nat.eqb_refl. split; [|reflexivity].
  intros i small. destruct (Nat.eqb_spec i (S n)); [lia|].
  destruct (Nat.eq_dec i n) as [->|]; [rewrite at_n; assumption|apply all; lia].
Qed.

Lemma same_if_named_alike : forall (A B : sampler Label) r s, reduced A -> reduced B ->
  named_alike A A r r -> named_alike B B s s -> named_alike A B r s ->
  (forall x, plan A r x (calls A) = plan B s x (calls B)) -> same A B.
Proof.
  intros A B r s minimal_A minimal_B own_A own_B cross outputs.
  assert (cross' : named_alike B A s r).
  { intros i j small_i small_j names. symmetry in names.
    destruct (cross j i small_j small_i names) as [labels plans]. split; [auto|]. intros x. auto. }
  assert (once_A := names_used_once A r minimal_A own_A (calls A)).
  assert (once_B := names_used_once B s minimal_B own_B (calls B)).
  destruct (choose (calls A) (fun i i' => (i' < calls B)%nat /\ r i = s i')) with (last := calls B)
    as [p [there last]].
  { intros i small. apply (partners A B r s); try assumption. apply minimal_A. assumption. }
  destruct (choose (calls B) (fun i i' => (i' < calls A)%nat /\ s i = r i')) with (last := calls A)
    as [p' [back _]].
  { intros i small. apply (partners B A s r); try assumption; [auto|]. apply minimal_B. assumption. }
  assert (rows : forall j, (j <= calls A)%nat -> forall x, plan A r x j = plan B s x (p j)).
  { intros j small. destruct (Nat.eq_dec j (calls A)) as [->|]; [rewrite last; assumption|].
    destruct (there j) as [few names]; [lia|]. apply cross; [lia|assumption|assumption]. }
  exists p, p'. split; [split; [|split; [|assumption]]|split; [|split]].
  - intros i small. destruct (there i small) as [few names]. split; [assumption|].
    destruct (back (p i) few) as [small' names']. apply once_A; congruence || assumption.
  - intros i small. destruct (back i small) as [few names]. split; [assumption|].
    destruct (there (p' i) few) as [small' names']. apply once_B; congruence || assumption.
  - intros i small. destruct (there i small). apply cross; assumption.
  - intros j small. specialize (rows j small (fun _ => 0)). rewrite !plan_start in rows. assumption.
  - intros j i small few. destruct (there i few) as [few' names].
    assert (starts := rows j small (fun _ => 0)). rewrite !plan_start in starts.
    assert (entries := rows j small (only (r i))).
    rewrite (plan_entry A r j i (calls A)) in entries; try assumption.
    2: { intros k small' _ names'. apply once_A; assumption. }
    assert (inside : (p j <= calls B)%nat).
    { destruct (Nat.eq_dec j (calls A)) as [->|]; [lia|]. destruct (there j); lia. }
    rewrite names, (plan_entry B s (p j) (p i) (calls B)) in entries; try assumption; [lra|].
    intros k small' _ names'. apply once_B; assumption.
Qed.
End Matrices.

(** ** The theorem *)

Theorem deterministic : forall (Label Coordinate : Type) (A B : sampler Label)
    (K : network Label Coordinate -> Prop) (zeta : state Coordinate),
  reduced A -> reduced B -> interpolates K -> (exists k, zeta k <> 0) ->
  (forall F, K F -> output A F zeta silent = output B F zeta silent) <-> same A B.
Proof.
  intros Label Coordinate A B K zeta minimal_A minimal_B through nonzero. split.
  - intros equal.
    destruct (joint_names A B K zeta through nonzero equal) as [r [s [own_A [own_B [cross outputs]]]]].
    exact (same_if_named_alike A B r s minimal_A minimal_B own_A own_B cross outputs).
  - intros alike F _. apply same_output. assumption.
Qed.
