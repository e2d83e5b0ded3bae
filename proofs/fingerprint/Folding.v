(** * Folding: deleting, merging and renaming calls changes no output

    Every call of A that is kept goes to one call of B, with the same label, c and noise; a row of B adds up
    the entries of the calls that go to the same place; and calls that are kept do not see those that are
    not.
    Then B is asked what A is asked. Deleting calls that do not lead to the output, merging calls that ask
    the
    same, and renaming are special cases. *)

From Coq Require Import Reals Lra Lia Arith Bool FunctionalExtensionality Classical.
From Fingerprint Require Import Samplers.
Open Scope R_scope.

Definition folds {Label} (A B : sampler Label) (kept : nat -> bool) (p : nat -> nat) : Prop :=
  (kept (calls A) = true /\ p (calls A) = calls B) /\
  (forall i, (i < calls A)%nat -> kept i = true -> (p i < calls B)%nat /\ label A i = label B (p i)) /\
  (forall j, (j <= calls A)%nat -> kept j = true ->
    start A j = start B (p j) /\
    (forall i, (i < calls A)%nat -> kept i = false -> weight A j i = 0) /\
    (forall u, (u < calls B)%nat ->
      weight B (p j) u = sum (calls A) (fun i => if kept i && (p i =? u)%nat then weight A j i else 0))).

(** The sum over the places u of the entries that go to u, each times what is there. *)
Lemma sum_regroup : forall n m (kept : nat -> bool) p (a y : nat -> R),
  (forall i, (i < n)%nat -> kept i = true -> (p i < m)%nat) ->
  sum m (fun u => sum n (fun i => if kept i && (p i =? u)%nat then a i else 0) * y u)
  = sum n (fun i => if kept i then a i * y (p i) else 0).
Proof.
  intros n m kept p a y inside.
  transitivity (sum m (fun u => sum n (fun i => (if kept i && (p i =? u)%nat then a i else 0) * y u))).
  { apply sum_ext. intros u _. rewrite Rmult_comm, <- sum_scal. apply sum_ext. intros. lra. }
  rewrite sum_swap. apply sum_ext. intros i small.
  destruct (kept i) eqn:keeps; simpl.
  - rewrite (sum_only _ _ (p i)); [rewrite Nat.eqb_refl; reflexivity|auto|].
    intros u _ other. destruct (Nat.eqb_spec (p i) u); [congruence|lra].
  - apply sum_zero. intros. lra.
Qed.

Section Folded.
Context {Label Coordinate : Type}.
Variables (A B : sampler Label) (kept : nat -> bool) (p : nat -> nat).
Variables (F : network Label Coordinate) (zeta : state Coordinate) (w v : nat -> state Coordinate).
Hypothesis fold : folds A B kept p.
Hypothesis noise : forall j, (j <= calls A)%nat -> kept j = true -> w j = v (p j).

Lemma folded_query : forall j, (j <= calls A)%nat -> kept j = true ->
  query A F zeta w j = query B F zeta v (p j).
Proof.
  destruct fold as [[_ last] [inside rows]].
  intros j; induction j as [j IH] using (well_founded_induction lt_wf); intros small keeps.
  destruct (rows j small keeps) as [starts [blind adds]].
  assert (bound : (p j <= calls B)%nat).
  { destruct (Nat.eq_dec j (calls A)) as [->|]; [lia|]. destruct (inside j); [lia|assumption|lia]. }
  rewrite (query_of_all A) by assumption. rewrite (query_of_all B) by assumption.
  extensionality k. rewrite starts, (noise j) by assumption. do 2 f_equal.
  rewrite (sum_ext (calls B) _ (fun u => sum (calls A) (fun i => if kept i && (p i =? u)%nat
    then weight A j i else 0) * F (label B u) (query B F zeta v u) k)).
  2: { intros u few. rewrite adds; [reflexivity|assumption]. }
  rewrite sum_regroup.
  2: { intros i few keep. apply inside; assumption. }
  apply sum_ext. intros i few.
  destruct (kept i) eqn:keep.
  - destruct (Req_dec (weight A j i) 0) as [->|nonzero]; [lra|].
    apply weight_lower in nonzero. destruct (inside i few keep) as [_ labels].
    rewrite labels, IH; [reflexivity|assumption|lia|assumption].
  - rewrite blind; [lra|assumption|assumption].
Qed.

Theorem folded_output : output A F zeta w = output B F zeta v.
Proof.
  destruct fold as [[keep last] _]. unfold output. rewrite <- last. apply folded_query; [lia|assumption].
Qed.
End Folded.

(** ** Renaming *)

Lemma agree_folds : forall {Label} (A B : sampler Label) p p',
  renaming A B p p' -> agree A B p -> folds A B (fun _ => true) p.
Proof.
  intros Label A B p p' [there [back last]] [labels [starts weights]].
  repeat split; try assumption; intros.
  - apply there; assumption.
  - apply labels; assumption.
  - apply starts; assumption.
  - discriminate.
  - destruct (back u) as [small inverse]; [assumption|]. simpl.
    rewrite (sum_only _ _ (p' u)); [rewrite inverse, Nat.eqb_refl|assumption|].
    + rewrite weights, inverse; [reflexivity|assumption|assumption].
    + intros i few other. destruct (Nat.eqb_spec (p i) u) as [arrives|]; [|reflexivity].
      destruct (there i few) as [_ returns]. congruence.
Qed.

(** "If": what is the same up to renaming gives the same output, for every network and every start. *)
Theorem same_output : forall {Label Coordinate} (A B : sampler Label) (F : network Label Coordinate) zeta,
  same A B -> output A F zeta silent = output B F zeta silent.
Proof.
  intros Label Coordinate A B F zeta [p [p' [names equal]]].
  apply (folded_output A B (fun _ => true) p); [eapply agree_folds; eassumption|reflexivity].
Qed.
