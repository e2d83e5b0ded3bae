(** * What would be false of samplers with noise *)

From Coq Require Import Reals Lra Lia Arith FunctionalExtensionality.
From Fingerprint Require Import Samplers Reduction Law NormalStart.
Open Scope R_scope.

Ltac run A := unfold A, output, query; simpl; unfold weight, noise, dot, silent; simpl.

(** One call, at zeta times c and its noise; the output is its own noise, plus a times the answer. *)
Definition one_call (c a : R) : sampler unit := {|
  calls := 1;
  label := fun _ => tt;
  start := fun j => match j with O => c | _ => 0 end;
  carried := fun _ _ => a
|}.

Definition independent (j d : nat) : R := if (j =? d)%nat then 1 else 0.
Definition common (j d : nat) : R := match d with O => 1 | _ => 0 end.

(** Each noise made of its own draw, or all of the first one, have the same variances. Where two draws are
    not almost surely equal, the laws of the output are not the same. *)
Theorem diagonal_is_not_enough : exists (A : sampler unit) G G',
  (forall i, (i <= calls A)%nat -> covariance 2 G i i = covariance 2 G' i i) /\
  forall P : law unit,
    P (fun n => n 1%nat tt - n O tt = 0) <> P (fun n => n O tt - n O tt = 0) ->
    exists (F : network unit unit) event, P (fun n => event (output A F (fun _ => 0) (noise 2 G n)))
      <> P (fun n => event (output A F (fun _ => 0) (noise 2 G' n))).
Proof.
  exists (one_call 0 (-1)), independent, common. split.
  - intros i small. simpl in small. destruct i as [|[|]]; [| |lia];
      unfold covariance, dot, independent, common; simpl; lra.
  - intros P differ. exists (fun _ q => q), (fun s => s tt = 0). intros same. apply differ.
    assert (outputs : forall G n, output (one_call 0 (-1)) (fun _ q => q) (fun _ => 0) (noise 2 G n) tt
      = (G 1%nat O - G O O) * n O tt + (G 1%nat 1%nat - G O 1%nat) * n 1%nat tt).
    { intros G n. run one_call. ring. }
    replace (fun n : nat -> state unit => n 1%nat tt - n O tt = 0) with (fun n : nat -> state unit =>
      output (one_call 0 (-1)) (fun _ q => q) (fun _ => 0) (noise 2 independent n) tt = 0).
    2: { extensionality n. rewrite outputs. unfold independent. simpl. f_equal. ring. }
    rewrite same. f_equal. extensionality n. rewrite outputs. unfold common. simpl. f_equal. ring.
Qed.

(** Two calls with one label, one c and one row are not the same if their noises have the same variance
    only. *)
Definition two_calls (a b : R) : sampler unit := {|
  calls := 2;
  label := fun _ => tt;
  start := fun _ => 0;
  carried := fun j i => match j, i with 2%nat, O => a | 2%nat, 1%nat => b | _, _ => 0 end
|}.

Theorem equal_variances_are_not_equal : exists (A : sampler unit) G,
  twins A 0 1 /\ covariance 2 G 0 0 = covariance 2 G 1 1 /\
  exists (F : network unit unit) (n : nat -> state unit),
    query A F (fun _ => 0) (noise 2 G n) 0 <> query A F (fun _ => 0) (noise 2 G n) 1.
Proof.
  exists (two_calls 1 1), independent. split; [|split].
  - split; [reflexivity|]. split; [reflexivity|]. intros k _. unfold weight.
    destruct k as [|k]; reflexivity.
  - unfold covariance, dot, independent. simpl. lra.
  - exists (fun _ q => q), (fun d _ => INR d). intros same. apply (f_equal (fun s => s tt)) in same.
    revert same.
    unfold two_calls, query. simpl. unfold weight, noise, dot, independent. simpl. lra.
Qed.

(** Given the start, Sigma is not enough: c and -c have the same, and not the same output. *)
Theorem Sigma_is_not_enough_given_the_start : exists A B : sampler unit,
  same_from_normal 1 0 A independent B independent /\
  exists (F : network unit unit) (zeta : state unit), output A F zeta silent <> output B F zeta silent.
Proof.
  exists (one_call 1 1), (one_call (-1) 1). split.
  - exists (fun i => i), (fun i => i). split; [|split; [|split]].
    + split; [|split]; simpl; auto.
    + reflexivity.
    + reflexivity.
    + intros i j _ _. unfold Sigma, covariance, dot, one_call. simpl. destruct i as [|i], j as [|j]; lra.
  - exists (fun _ q => q), (fun _ => 1). intros same. apply (f_equal (fun s => s tt)) in same. revert same.
    run one_call. lra.
Qed.

(** With S instead of S^2, c = 1 with the spread 2 and c = sqrt 2 with the spread 1 would be the same. *)
Theorem the_spread_is_squared : exists A B : sampler unit,
  (forall i j, (i <= 1)%nat -> (j <= 1)%nat ->
    2 * start A i * start A j = 1 * start B i * start B j) /\
  exists i, Sigma 2 0 A independent i i <> Sigma 1 0 B independent i i.
Proof.
  exists (one_call 1 1), (one_call (sqrt 2) 1). split.
  - intros i j small_i small_j. destruct i as [|[|]], j as [|[|]]; try lia; simpl; try lra.
    replace (1 * sqrt 2 * sqrt 2) with (sqrt 2 * sqrt 2) by ring. rewrite sqrt_sqrt; lra.
  - exists O. unfold Sigma, covariance, dot, one_call. simpl.
    replace (1 * (1 * 1) * sqrt 2 * sqrt 2) with (sqrt 2 * sqrt 2) by ring.
    rewrite sqrt_sqrt; lra.
Qed.
